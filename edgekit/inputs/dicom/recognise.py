"""Whether a file is DICOM, from its first bytes."""

from __future__ import annotations

import re

# How the other formats begin: PNG, JPEG, BMP, TIFF of either byte order, WebP.
_OTHERS = re.compile(rb"\x89PNG|\xff\xd8\xff|BM|II[*+]\0|MM\0[*+]|RIFF....WEBP", re.DOTALL)


def is_dicom(head: bytes, name: str) -> bool:
    """Whether a file that begins with ``head`` (132 bytes) is DICOM.

    Old files have no preamble and start with an element of group 2 or 8, as no other picture does. The
    name decides only where the content says nothing.
    """
    bare = len(head) > 8 and head[0] in (2, 8) and head[1] == 0 and head[3] == 0
    named = name.lower().endswith((".dcm", ".dicom")) and not _OTHERS.match(head)
    return head[128:132] == b"DICM" or bare or named
