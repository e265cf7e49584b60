"""Coefficients from profiles: what a known table would have measured gives that table back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.engines.coefficients import Bytes, Coefficients, Factor, coefficients, shipped_coefficients
from edgekit.errors import ConfigError
from edgekit.plan.planning import plan_subject
from edgekit.plan.regression import ProfiledModel, regression, table_text
from edgekit.plan.subject import subject_of
from edgekit.recipe import recipe
from edgekit.target import Target, target
from edgekit.units import GIB, MIB
from tests.unit.plan.models import LLAVA_MED, TINYLLAVA

CPU = replace(target("cpu"), memory_bytes=64 * GIB)
TRUTH = replace(
    shipped_coefficients("onnxruntime"),
    process=Bytes(50 * MIB, "measured", ""),
    engine_host=Bytes(20 * MIB, "measured", ""),
    tokenizer_word=Bytes(400, "measured", ""),
    vision_scratch=Factor(1.25, "measured", ""),
    decoder_scratch=Factor(1.75, "measured", ""),
)
FITTED = ("process", "engine_host", "tokenizer_word", "vision_scratch", "decoder_scratch")
MODELS = ((TINYLLAVA, "q4"), (TINYLLAVA, "q8"), (LLAVA_MED, "q4"))


def profiled(
    table: Coefficients, noise: Sequence[float] = (1.0, 1.0, 1.0), device: Target = CPU
) -> list[ProfiledModel]:
    """What profiles would say where ``table`` were true; each component off by its factor of ``noise``."""
    models = []
    for (model, name), factor in zip(MODELS, noise, strict=True):
        subject = subject_of(model, recipe(name))
        planned = plan_subject(subject, device, recipe(name), table)
        parts = planned.components
        components = {part: round(parts[part] * factor) for part in ("process", "tokenizer")}
        components |= {part: round(parts[part] * factor) for part in ("vision_activations", "decoder_activations")}
        beside = parts["beside_weights"] + parts.get("engine_device", 0)
        components["engine"] = beside + round(parts["engine_host"] * factor)
        models.append(
            ProfiledModel(
                subject=subject,
                recipe=recipe(name),
                target=device,
                components=components,
                whole_bytes=planned.dynamic_bytes,
                source=f"{name} on a desk",
            )
        )
    return models


def values(table: Coefficients) -> list[float]:
    numbers = [getattr(table, name) for name in FITTED]
    return [number.size_bytes if isinstance(number, Bytes) else number.ratio for number in numbers]


def test_a_known_table_is_found_again() -> None:
    table = regression(profiled(TRUTH), shipped_coefficients("onnxruntime"))
    assert values(table) == pytest.approx(values(TRUTH), rel=1e-3)
    for name in FITTED:
        assert getattr(table, name).basis == "measured"
        assert "q4 on a desk; q8 on a desk" in getattr(table, name).source


def test_a_card_s_table_is_found_again_though_int8_is_written_out_there() -> None:
    card = replace(target("rtx3080"), memory_bytes=64 * GIB)
    shipped = shipped_coefficients("tensorrt")
    truth = replace(TRUTH, whole_scores=shipped.whole_scores, engine_device=shipped.engine_device)
    assert values(regression(profiled(truth, device=card), shipped)) == pytest.approx(values(truth), rel=1e-3)


def test_a_fit_lies_between_what_was_measured_and_says_the_range() -> None:
    table = regression(profiled(TRUTH, (0.9, 1.0, 1.1)), shipped_coefficients("onnxruntime"))
    assert 45 * MIB < table.process.size_bytes < 55 * MIB
    assert table.process.source.startswith("45.0 MiB to 55.0 MiB")
    assert 1.125 < table.vision_scratch.ratio < 1.375


def test_what_no_profile_tells_stays_as_it_ships() -> None:
    shipped = shipped_coefficients("onnxruntime")
    silent = [replace(model, components={"process": 70 * MIB}) for model in profiled(TRUTH)]
    assert regression(silent, shipped) == replace(shipped, process=regression(silent, shipped).process)
    assert regression(silent, shipped).process.size_bytes == 70 * MIB


def test_a_fitted_table_counts_where_the_site_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = regression(profiled(TRUTH), shipped_coefficients("onnxruntime"))
    (tmp_path / "engines.toml").write_text(table_text({"onnxruntime": fitted}))
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert coefficients("onnxruntime") == fitted
    assert coefficients("onnxruntime-cuda") == shipped_coefficients("onnxruntime-cuda")  # not in the site's file
    by = recipe("q4")
    planned = plan_subject(subject_of(TINYLLAVA, by), CPU, by)
    assert planned.components["process"] == pytest.approx(50 * MIB, rel=1e-3)


def test_a_source_with_quotes_can_be_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(TRUTH, process=Bytes(7, "measured", 'a "quoted" \\ name'))
    (tmp_path / "engines.toml").write_text(table_text({"onnxruntime": odd}))
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert coefficients("onnxruntime") == odd


@pytest.mark.parametrize("text", ["[onnxruntime]\nchunk = 1\n", "nonsense", "[onnxruntime.process]\nsize = 5\n"])
def test_a_site_s_table_that_is_none_is_one_error(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engines.toml").write_text(text)
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    with pytest.raises(ConfigError, match=r"engines\.toml"):
        coefficients("onnxruntime")
