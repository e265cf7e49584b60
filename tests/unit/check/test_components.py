"""Each component alone, on a toy engine with a record of its own: what is harmed shows, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgekit.check.components import ComponentFigures, Specimen, measure_components
from edgekit.check.measure import UNUSABLE
from edgekit.checkpoint.packed import Array
from edgekit.engines.base import Logits
from tests.fake_engine import HIDDEN
from tests.unit.check.parted import PartedEngine, specimen, write_embedding
from tests.unit.check.test_scales import write_graph

NAMES = ("image", "template", "vision", "projector", "embedding", "decoder")


def measured(examined: Specimen) -> dict[str, ComponentFigures]:
    steps: list[None] = []
    figures = measure_components(examined, lambda: steps.append(None))
    assert len(steps) == 2 * len(examined.golden.alone), "a step for each sequence, beside both sides"
    assert tuple(component.name for component in figures) == NAMES
    return {component.name: component for component in figures}


def harmed(figures: dict[str, ComponentFigures]) -> set[str]:
    """The components that are off, or have a fault."""
    return {name for name, figure in figures.items() if figure.error > 1e-6 or figure.loss > 1e-6 or figure.fault}


def test_an_engine_is_no_distance_from_its_own_record(tmp_path: Path) -> None:
    figures = measured(specimen(tmp_path))
    assert not harmed(figures)
    assert figures["decoder"].kl == pytest.approx(0, abs=1e-4)  # the record rounds its logits
    assert figures["projector"].offset == pytest.approx(0, abs=1e-7)


class LargeTower(PartedEngine):
    def features(self, pixels: npt.NDArray[np.float32]) -> Array:
        features: Array = super().features(pixels) * 1.25
        return features


class Biased(PartedEngine):
    def project(self, features: Array) -> Array:
        embeds = super().project(features)
        shifted: Array = embeds + 0.5 * np.linalg.norm(embeds, axis=-1).mean() / np.sqrt(HIDDEN)
        return shifted


class OtherRow(PartedEngine):
    """Of one token."""

    def embed(self, tokens: Any) -> Array:
        rows: Array = super().embed(tokens).copy()
        for at, token in enumerate(tokens):
            rows[at] *= 3 if token == ord("e") else 1
        return rows


class Louder(PartedEngine):
    """Logits are twice as far from their mean; and all of them a hundred more, which changes no answer."""

    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        logits: Logits = 2 * super().prefill(slot, embeds, start) + 100
        return logits


class Broken(PartedEngine):
    def prefill(self, slot: int, embeds: Array, start: int) -> Logits:
        return np.full_like(super().prefill(slot, embeds, start), np.nan)


@pytest.mark.parametrize(
    ("engine", "name", "error"),
    [(LargeTower, "vision", 0.25), (OtherRow, "embedding", 2.0), (Louder, "decoder", 1.0)],
)
def test_what_one_component_does_wrong_is_its_own_error(
    engine: type[PartedEngine], name: str, error: float, tmp_path: Path
) -> None:
    """A row alone counts: the worst is not hidden by the others."""
    figures = measured(specimen(tmp_path, engine()))
    assert harmed(figures) == {name}
    assert figures[name].error == pytest.approx(error, rel=1e-5)
    assert figures[name].loss == pytest.approx(error, rel=1e-5)


def test_a_loss_is_measured_on_what_the_reference_gave_before(tmp_path: Path) -> None:
    """A reference whose tower gives twice as much: the tower has lost half, and the projector nothing."""
    plain = specimen(tmp_path)
    exact = plain.arrays.exact
    doubled = replace(exact, features=2 * exact.features, embeds=2 * exact.embeds)
    figures = measured(replace(plain, arrays=replace(plain.arrays, reference=doubled)))
    assert figures["vision"].loss == pytest.approx(0.5)
    assert (figures["vision"].error, figures["projector"].error) == (0, 0)
    assert figures["projector"].loss == pytest.approx(0, abs=1e-6)


def test_a_bias_is_told_by_what_all_rows_are_off_by(tmp_path: Path) -> None:
    figures = measured(specimen(tmp_path, Biased()))
    assert harmed(figures) == {"projector"}
    assert figures["projector"].offset == pytest.approx(figures["projector"].error, rel=1e-4)


def test_logits_that_are_too_large_as_a_whole_are_told_from_noise(tmp_path: Path) -> None:
    assert measured(specimen(tmp_path, Louder()))["decoder"].gain == pytest.approx(1.0, rel=1e-5)


def test_pictures_are_prepared_as_the_manifest_says(tmp_path: Path) -> None:
    plain = specimen(tmp_path)
    spec = plain.bundle.manifest.spec
    shifted = replace(spec, image=replace(spec.image, mean=(0.6, 0.6, 0.6)))
    bundle = replace(plain.bundle, manifest=replace(plain.bundle.manifest, spec=shifted))
    figures = measured(replace(plain, bundle=bundle))
    assert harmed(figures) == {"image"}
    pixels = plain.arrays.pixels
    assert figures["image"].error == pytest.approx(0.2 * np.sqrt(pixels.size) / np.linalg.norm(pixels), rel=1e-4)


def test_questions_that_are_written_otherwise_are_a_share_of_all(tmp_path: Path) -> None:
    plain = specimen(tmp_path)
    first, second = plain.golden.sequences
    sequences = (replace(first, question="Is it ill?"), second)
    figures = measured(replace(plain, golden=replace(plain.golden, sequences=sequences)))
    assert harmed(figures) == {"template"}
    assert figures["template"].error == 0.5


@pytest.mark.parametrize("name", ["vision", "projector", "decoder"])
def test_dead_scales_are_a_fault_of_their_graph(name: str, tmp_path: Path) -> None:
    examined = specimen(tmp_path)
    write_graph(tmp_path / "graphs", name, up=[0.1, 0.0], down=[0.1], gate=[float("nan")])
    figures = measured(examined)
    assert harmed(figures) == {name}
    assert figures[name].fault == "up and 1 more has a scale that is zero or no number"


def test_dead_rows_are_a_fault_of_the_embedding(tmp_path: Path) -> None:
    examined = specimen(tmp_path)
    write_embedding(tmp_path, [[0.1], [0.0], [0.0]])
    figures = measured(examined)
    assert harmed(figures) == {"embedding"}
    assert figures["embedding"].fault == "2 rows have a dead scale, the first that of token 1"


def test_text_alone_has_no_picture_to_be_off_by(tmp_path: Path) -> None:
    plain = specimen(tmp_path, Biased())
    sequences = tuple(
        replace(sequence, picture=None, prompt=tuple(token for token in sequence.prompt if token >= 0))
        for sequence in plain.golden.sequences
    )
    figures = measured(replace(plain, pictures=(), golden=replace(plain.golden, sequences=sequences)))
    assert not {"image", "vision", "projector"} & harmed(figures)


def test_logits_that_are_no_numbers_are_far_away(tmp_path: Path) -> None:
    figures = measured(specimen(tmp_path, Broken()))
    assert harmed(figures) == {"decoder"}
    assert figures["decoder"].kl == figures["decoder"].error == UNUSABLE
