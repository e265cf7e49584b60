"""Which frame of many is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.inputs.dicom.frames import flattened
from edgekit.inputs.images import load_image
from tests.dicoms import RAMP, dataset, encode, item, least_to_greatest, shades


def test_the_middle_frame_or_the_one_asked_for() -> None:
    frames = np.stack([np.roll(RAMP, shift, axis=1) for shift in range(4)])
    instance = dataset(frames)
    for frame, expected in ((None, 1), (0, 0), (3, 3)):
        np.testing.assert_allclose(shades(instance, frame), least_to_greatest(frames[expected]), atol=1)
    assert load_image(encode(instance)).notes == ("It has 4 frames: only the middle one, number 2, is looked at.",)
    assert load_image(encode(instance), 1).notes == (), "it was asked for"
    for wrong in (4, -1):
        with pytest.raises(InputError, match="no frame") as caught:
            load_image(encode(instance), wrong)
        assert "It has 4" in caught.value.hint


def test_what_a_frame_says_for_itself_is_how_it_is_drawn_and_not_how_it_is_stored() -> None:
    instance = dataset(np.stack([RAMP, RAMP]))
    instance.set_original_encoding(False, True)
    windows = [item(WindowCenter=str(centre), BitsStored=3, PixelRepresentation=1) for centre in (1, 2)]
    instance.PerFrameFunctionalGroupsSequence = [item(FrameVOILUTSequence=[window]) for window in windows]
    for frame in (0, 1):
        own = flattened(instance, frame, [])
        assert (own.WindowCenter, own.BitsStored, own.PixelRepresentation) == (frame + 1, 16, 0)
    assert "WindowCenter" not in instance
