"""Compiling by any backend: what is written in which place, and what is said where it fails."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.engines.backend import Destination, Outcome
from edgekit.engines.compile import Compiled, NotCompiled, compile_bundle, compile_here
from edgekit.engines.lock import find_form, folder_of
from edgekit.errors import EngineError
from edgekit.progress import Progress
from edgekit.target import target
from edgekit.target.kinds import KINDS, EngineKind
from tests.toy_engine.backend import BACKEND, KIND, WITH_PLANS, ToyBackend
from tests.unit.engines.sealed import sealed


@pytest.fixture(params=[KIND, WITH_PLANS], ids=["toy", "toy-plans"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> EngineKind:
    chosen: EngineKind = request.param
    monkeypatch.setitem(KINDS, chosen.name, chosen)
    return chosen


@pytest.fixture
def bundle(kind: EngineKind, tmp_path: Path) -> Bundle:
    return sealed(tmp_path / "a bundle", replace(target("cpu"), engine=kind.name))


def contents(folder: Path) -> Mapping[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_form_lies_under_its_place_and_an_older_one_gives_way(bundle: Bundle, kind: EngineKind) -> None:
    place = BACKEND.destination(bundle).place
    folder = folder_of(bundle, place)
    folder.mkdir(parents=True)
    (folder / "old.plan").write_text("of another build")
    compiled = compile_bundle(bundle)
    assert (compiled.folder, compiled.place) == (folder, place)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    names = {f"{name}.onnx" for name in ("vision", "projector", "decoder")}
    assert contents(folder).keys() == names | {"lock.json"}
    assert compiled.bytes == sum(map(len, contents(folder).values()))
    assert compiled.plans.keys() == ({name.removesuffix(".onnx") for name in names} if kind is WITH_PLANS else set())
    assert find_form(bundle) == (folder, "")


@pytest.mark.parametrize("before", [True, False])
def test_a_failure_names_the_folder_that_stays_and_leaves_everything_as_it_was(
    before: bool, bundle: Bundle, kind: EngineKind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if before:
        compile_bundle(bundle)
    as_before = contents(bundle.path)

    def fail(self: ToyBackend, bundle: Bundle, folder: Path, destination: Destination, progress: Progress) -> Outcome:
        (folder / "half.plan").write_text("half")
        raise EngineError(f"No space is left to write {folder / 'half.plan'}", f"Make room on the disk of {folder}.")

    monkeypatch.setattr(ToyBackend, "compile", fail)
    outcome = compile_here(bundle)
    assert isinstance(outcome, NotCompiled)
    assert outcome.tried
    folder = folder_of(bundle, BACKEND.destination(bundle).place)
    assert outcome.why.message == f"No space is left to write {folder / 'half.plan'}"
    assert outcome.why.hint == f"Make room on the disk of {bundle.path}."
    assert contents(bundle.path) == as_before
    assert (bundle.path / "engines").exists() == before
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert bool(said) == (kind is KIND)  # a device that needs plans does not "run without"


def test_a_machine_of_another_kind_was_not_tried_on(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(self: ToyBackend, bundle: Bundle) -> Destination:
        raise EngineError("this machine is another", "Go there.")

    monkeypatch.setattr(ToyBackend, "destination", elsewhere)
    outcome = compile_here(bundle)
    assert isinstance(outcome, NotCompiled)
    assert (outcome.tried, outcome.why.message) == (False, "this machine is another")


def test_a_document_tells_of_plans_where_there_are_any(bundle: Bundle, kind: EngineKind) -> None:
    compiled = compile_here(bundle)
    assert isinstance(compiled, Compiled)
    document = compiled.document()
    assert document["folder"] == str(compiled.folder)
    assert ("plans" in document) == ("place" in document) == (kind is WITH_PLANS)
