"""What stored values stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgekit.inputs.dicom.modality import Rescale, read_modality
from tests.dicoms import item, table, words


def test_a_rescale_is_slope_times_value_plus_intercept() -> None:
    notes: list[str] = []
    modality = read_modality(item(RescaleSlope="0.5", RescaleIntercept="-100"), "<u2", notes)
    assert modality == Rescale(0.5, -100)
    np.testing.assert_array_equal(modality(np.array([0, 3, 65535], np.uint16)), [-100, -98.5, 32667.5])
    assert not notes


@pytest.mark.parametrize(
    ("elements", "notes"),
    [
        ({}, []),
        ({"RescaleSlope": "0", "RescaleIntercept": "1"}, ["The rescale is left out: Rescale Slope is 0."]),
        ({"RescaleIntercept": "1"}, ["The rescale is left out: Rescale Slope is missing."]),
        ({"RescaleSlope": "1"}, ["The rescale is left out: Rescale Intercept is missing."]),
    ],
)
def test_what_can_not_be_used_is_none_and_said(elements: dict[str, Any], notes: list[str]) -> None:
    said: list[str] = []
    assert read_modality(item(**elements), "<u2", said) is None
    assert said == notes


def test_a_table_comes_before_a_rescale() -> None:
    header = item(RescaleSlope="2", RescaleIntercept="0", ModalityLUTSequence=[table([3, 10, 16], words([7, 8, 9]))])
    modality = read_modality(header, "<u2", [])
    assert modality is not None
    np.testing.assert_array_equal(modality(np.array([9, 10, 11, 12, 99])), [7, 7, 8, 9, 9])
