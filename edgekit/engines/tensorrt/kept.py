"""What a device has found out about its kernels, kept for later in the user's cache: it saves time, and no more.

``~/.cache/edgekit/timings/FINGERPRINT`` is TensorRT's timing cache of a build, ``~/.cache/edgekit/runtime/FINGERPRINT``
TensorRT-RTX's kernels where a bundle can't hold them. Both are a device's own, whatever bundle they were made with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def kept(kind: Literal["timings", "runtime"], fingerprint: str) -> Path | None:
    """The file for a place's fingerprint; None for a user without a home, as in a container."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home / ".cache" / "edgekit" / kind / fingerprint
