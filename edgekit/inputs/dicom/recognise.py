"""Whether a file is DICOM, from its first bytes."""

from __future__ import annotations

from edgekit.inputs import formats


def is_dicom(head: bytes, name: str) -> bool:
    """Tell whether a file that begins with ``head`` (132 bytes) is DICOM.

    Old files have no preamble and start with an element of group 2 or 8, as no other picture does. The
    name decides only where the content says nothing.
    """
    bare = len(head) > 8 and head[0] in (2, 8) and head[1] == 0 and head[3] == 0
    named = name.lower().endswith((".dcm", ".dicom")) and formats.ours(head) is None
    return head[128:132] == b"DICM" or bare or named
