"""The runs of bundles that hold no more than a manifest, profiles and locks; and of reports that were kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import Bundle
from edgekit.config.writing import write_json
from edgekit.engines.lock import ENGINES, LOCK
from edgekit.errors import ConfigError
from edgekit.machine.pseudonym import pseudonym
from edgekit.profile.record import ProfiledDevice
from edgekit.profile.store import store
from edgekit.report.engines import report
from edgekit.target import target
from edgekit.units import GIB, MIB
from tests.specs import manifest_alone
from tests.unit.profile.made import profile

BOARD = ProfiledDevice(
    engine="onnxruntime",
    engine_version="1.32.0",
    arch="aarch64",
    cpu="aarch64",
    cores=4,
    features=(),
    memory_bytes=8 * GIB,
)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return manifest_alone(tmp_path / "a bundle")


def profiled(bundle: Bundle, **changed: Any) -> None:
    store(bundle, profile(digest=bundle.digest, **changed))


def test_a_run_has_what_the_bundle_and_its_profile_say(bundle: Bundle) -> None:
    profiled(bundle)
    (run,) = report([bundle.path]).runs
    assert (run.bundle, run.model, run.recipe, run.decoder) == (str(bundle.path), "toy", "q4", "int4")
    assert (run.engine, run.device, run.told_by) == ("onnxruntime 1.31.1", "Some processor", pseudonym())
    assert (run.plans, run.check, run.beside_fp16) == ({}, None, None)
    assert run.speed
    assert run.speed.alone == 10
    assert run.speed.shares[0] == pytest.approx(10 * 512 * MIB / target("cpu").bandwidth)


def test_machines_that_are_called_alike_are_told_apart(bundle: Bundle) -> None:
    """Many an ARM board calls its processor "aarch64"."""
    for device, made in (
        (BOARD, "2026-11-01T12:00:00Z"),
        (replace(BOARD, cores=12, l4t="36.4.3"), "2026-11-02T12:00:00Z"),
    ):
        profiled(bundle, device=device, made=made)
    assert {run.speed.measured_at[:10] for run in report([bundle.path]).runs if run.speed} == {
        "2026-11-01",
        "2026-11-02",
    }


def test_a_kept_report_is_read_without_its_bundles_and_each_run_counts_once(bundle: Bundle, tmp_path: Path) -> None:
    profiled(bundle)
    fresh = report([bundle.path])
    kept = tmp_path / "report.json"
    write_json(kept, fresh)
    assert report([kept]) == report([kept, bundle.path]) == report([bundle.path, kept]) == fresh


@pytest.mark.parametrize(("name", "compiles"), [("cpu", ""), ("rtx3050", "edgekit compile '{path}', or ")])
def test_a_bundle_that_never_ran_is_told_what_to_run(name: str, compiles: str, tmp_path: Path) -> None:
    path = manifest_alone(tmp_path / "a bundle", target=target(name)).path
    with pytest.raises(ConfigError, match="no engines of a GPU, nor a profile") as error:
        report([path])
    assert error.value.hint == f"Run: {compiles.format(path=path)}edgekit profile '{path}'"


@pytest.mark.parametrize("is_profiled", [False, True])
def test_plans_whose_lock_cannot_be_read_are_a_doubt_and_hide_nothing(is_profiled: bool, tmp_path: Path) -> None:
    bundle = manifest_alone(tmp_path / "bundle", target=target("rtx3050"))
    (bundle.path / ENGINES / "f0").mkdir(parents=True)
    (bundle.path / ENGINES / "f0" / LOCK).write_text("{")
    if is_profiled:
        profiled(bundle, form="f0")
    (run,) = report([bundle.path]).runs
    assert LOCK in run.doubts[0]
    assert bool(run.speed) == is_profiled
    assert run.device == ("Some processor" if is_profiled else "a device that is not known")


@pytest.mark.parametrize("text", ["", "[]", '{"runs": [{}]}', '{"runs": [{"bundle": 3}]}'])
def test_what_is_no_report_is_one_clear_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ConfigError, match=r"report\.json"):
        report([tmp_path / "report.json"])
