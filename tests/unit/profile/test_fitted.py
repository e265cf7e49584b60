"""Profiles fitted, a table for each engine; and those that are of another bundle than they lie in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.engines.coefficients import Coefficients
from edgekit.errors import ConfigError, InputError
from edgekit.plan.planning import plan_subject
from edgekit.plan.subject import subject_of
from edgekit.profile.fitted import fit_profiles
from edgekit.profile.store import store
from edgekit.target import target
from edgekit.units import MIB
from tests.specs import manifest_alone
from tests.unit.profile.made import profile


def bundle(folder: Path, name: str = "cpu") -> Bundle:
    return manifest_alone(folder, target=replace(target(name), memory_bytes=16 << 30))


def measured(opened: Bundle, process: int, **changed: Any) -> Path:
    """A profile that has all of the plan's figures, but for another process's own memory."""
    manifest = opened.manifest
    chosen = replace(manifest.target, slots=2, context=160)
    planned = plan_subject(subject_of(opened, manifest.recipe), chosen, manifest.recipe)
    figures = {**planned.components, "process": process, "engine": 110 * MIB}
    keys = {"digest": opened.digest, "context": 160, "components": figures, **changed}
    return store(opened, profile(**keys))


def test_what_was_measured_is_planned_by_the_fitted_table(tmp_path: Path) -> None:
    opened = bundle(tmp_path / "b")
    measured(opened, process=77 * MIB)
    fitted = fit_profiles([opened.path])
    assert fitted.out is None
    assert fitted.tables["onnxruntime"].process.size_bytes == 77 * MIB
    ((kept, planned),) = fitted.planned_now()
    assert kept.bundle.digest == opened.digest
    assert planned.components["process"] == 77 * MIB
    assert (planned.target.slots, planned.target.context) == (2, 160)
    assert "llava-test by q4, 2 × 160: Some processor" in fitted.tables["onnxruntime"].process.source


def test_each_engine_has_its_table_and_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    for name, engine in (("cpu", "onnxruntime"), ("rtx3050", "tensorrt")):
        measured(bundle(tmp_path / name, name), process=50 * MIB)
        assert list(fit_profiles([tmp_path / name]).tables) == [engine]
    out = tmp_path / "engines.toml"
    fitted = fit_profiles([tmp_path / "cpu", tmp_path / "rtx3050"], out)
    assert out.read_text() == fitted.text
    assert config.load_toml(out, dict[str, Coefficients]) == fitted.tables
    assert fitted.document() == {"engines": config.dump(fitted.tables), "out": str(out)}


def test_a_file_stands_for_itself_and_a_bundle_for_its_newest(tmp_path: Path) -> None:
    opened = bundle(tmp_path / "b")
    old = measured(opened, process=40 * MIB)
    measured(opened, process=60 * MIB, made="2027-01-01T00:00:00Z")
    for source, process in ((old, 40), (opened.path, 60)):
        assert fit_profiles([source]).tables["onnxruntime"].process.size_bytes == process * MIB


def test_a_profile_of_another_bundle_is_refused(tmp_path: Path) -> None:
    opened = bundle(tmp_path / "b")
    with pytest.raises(ConfigError, match="has no profile"):
        fit_profiles([opened.path])
    measured(opened, process=40 * MIB, digest="e" * 64)
    with pytest.raises(InputError, match="a profile of another bundle"):
        fit_profiles([opened.path])
