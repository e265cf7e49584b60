"""The phantoms to try: of the test split, drawn as the demo draws, with questions that have answers."""

from __future__ import annotations

import io
import re

import numpy as np
from PIL import Image

from edgekit.demo.samples import asked, samples
from edgekit.phantom import draw
from edgekit.phantom.split import SEEDS


def test_each_is_a_picture_and_a_question_about_it() -> None:
    chosen, offered = list(asked()), samples()
    assert len(chosen) == len(offered) == 4
    assert {phantom.question.form for phantom in chosen} == {"closed", "open", "description"}
    for phantom, sample in zip(chosen, offered, strict=True):
        assert phantom.scene.seed in SEEDS["test"]
        assert sample.question == phantom.question.text
        assert re.fullmatch(r"[a-z0-9-]+", sample.name)
        with Image.open(io.BytesIO(sample.content)) as image:
            assert image.format == "PNG"
            assert np.array_equal(np.asarray(image), np.asarray(draw(phantom.scene)))
    assert len({sample.name for sample in offered}) == len({sample.content for sample in offered}) == 4


def test_what_names_them_does_not_give_the_answer_away() -> None:
    for phantom, sample in zip(asked(), samples(), strict=True):
        assert not any(finding.kind in sample.name for finding in phantom.scene.findings)
