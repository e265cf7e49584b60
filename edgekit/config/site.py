"""What a site lays over what ships: files below /etc/edgekit, or below the folder in EDGEKIT_SITE.

budgets/NAME.toml   limits of target NAME, keys as in its [budget]: those named here count instead
engines.toml        coefficients of plans, as `edgekit plan --fit` writes them
"""

from __future__ import annotations

import os
from pathlib import Path


def site_file(name: str) -> Path | None:
    """Return a site's file by its name below the folder; None where there is none."""
    path = Path(os.environ.get("EDGEKIT_SITE") or "/etc/edgekit") / name
    return path if path.exists() else None
