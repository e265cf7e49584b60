"""DICOM by its first bytes, or by its name where they say nothing."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.inputs.dicom.recognise import is_dicom
from tests.dicoms import dataset, encode
from tests.unit.inputs.written import png

PNG = png(np.zeros((2, 2, 3), np.uint8))


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (encode(dataset(np.zeros((2, 2), np.uint8)))[:132], "no name", True),
        (bytes(128) + b"DICM", "x.png", True),
        (b"\x02\0\x10\0UI\x12\x00" + bytes(9), "old", True),
        (b"\x08\0\x05\0CS\x0a\x00" + bytes(9), "old", True),
        (b"\x08\0\x05\0CS", "cut", False),
        (b"\x03\0\x05\0" + bytes(20), "x", False),
        (bytes(132), "x.DCM", True),
        (bytes(132), "x.dicom", True),
        (bytes(132), "x.bin", False),
        (PNG[:132], "x.dcm", False),
        (b"", "x", False),
    ],
)
def test_the_content_says_more_than_the_name(head: bytes, name: str, expected: bool) -> None:
    assert is_dicom(head, name) is expected
