"""A bundle from before the renovation opens, checks and answers as it did, and today's code builds the same bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import before
from tests.commands import run
from tests.embedded_bundles import EmbeddedBundles

RECORD: dict[str, Any] = json.loads(before.RECORD.read_text(encoding="utf-8"))
LIKE_THERE = before.here() == RECORD["made_on"]
"""Whether this processor and these libraries are those of the recording."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return before.unpack(tmp_path_factory.mktemp("before"))


@pytest.mark.parametrize("target", before.BUNDLES)
def test_it_verifies_and_checks(target: str, root: Path) -> None:
    checked = run("check", str(root / target), "--processor")
    assert checked["passed"]
    assert checked["verified"]
    assert checked["very_tokens"] or not LIKE_THERE


@pytest.mark.parametrize("target", before.BUNDLES)
def test_it_answers_as_it_did(target: str, root: Path) -> None:
    assert before.answers(root / target, target) == RECORD["answers"][target]


@pytest.mark.parametrize("target", before.BUNDLES)
def test_its_checkpoint_is_built_to_the_same_bits(target: str, root: Path, tmp_path: Path) -> None:
    out = tmp_path / target
    run("build", str(root / "checkpoint"), "--target", target, "--recipe", before.BUNDLES[target], "--out", str(out))
    assert _comparable(before.sealed(out)) == _comparable(RECORD["bundles"][target])
    assert before.answers(out, target) == RECORD["answers"][target]
    for today, recorded in zip(_figures(out), _figures(root / target), strict=True):
        assert today == pytest.approx(
            recorded, rel=0.5, abs=0.05
        )  # on any processor; the same bits where it is the same
    if target == "cpu" and LIKE_THERE:
        assert [folder.name for folder in (out / "engines").iterdir()] == [RECORD["fingerprint"]]


@pytest.mark.parametrize("target", before.BUNDLES)
def test_the_embedded_model_is_built_to_the_same_bits(
    target: str, embedded_as: EmbeddedBundles, tmp_path: Path
) -> None:
    if target == "cpu":
        out = embedded_as(before.BUNDLES[target]).path
    else:
        out = tmp_path / target
        run("build", "--target", target, "--recipe", before.BUNDLES[target], "--out", str(out))
    assert _comparable(before.sealed(out)) == _comparable(RECORD["bundles"][f"embedded-{target}"])
    if target == "cpu":
        assert before.phantom_answers(out) == RECORD["phantoms"]


def test_every_recipe_and_spelling_gives_the_same_bits(root: Path, tmp_path: Path) -> None:
    written = before.graphs(root / "checkpoint", tmp_path)
    assert {name: _without_versions(files) for name, files in written} == {
        name: _without_versions(files) for name, files in RECORD["graphs"].items()
    }


def _comparable(manifest: dict[str, Any]) -> dict[str, Any]:
    files = _without_versions(manifest["files"])
    if not LIKE_THERE:
        files = {name: "" if name in before.BY_PROCESSOR else digest for name, digest in files.items()}
    template = dict(manifest["spec"]["template"])
    assert not template.pop("system_reserved", [])  # a key that has come since
    return manifest | {"files": files, "spec": manifest["spec"] | {"template": template}}


def _figures(bundle: Path) -> list[float]:
    """Every number in a bundle's record of fidelity, in order."""
    numbers: list[float] = []
    todo: list[Any] = [before.fidelity(bundle)]
    while todo:
        value = todo.pop()
        if isinstance(value, (dict, list)):
            todo += value.values() if isinstance(value, dict) else value
        elif isinstance(value, (int, float)):
            numbers.append(value)
    return numbers


def _without_versions(files: dict[str, str]) -> dict[str, str]:
    """Another release of onnx may write a graph's frame otherwise; the tensors beside it are ours alone."""
    if before.here()["onnx"] == RECORD["made_on"]["onnx"]:
        return files
    return {name: "" if name.endswith(".onnx") else digest for name, digest in files.items()}
