"""What the doctor says of EdgeKit's extras: which a target needs, and what each lacks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import edgekit
from edgekit.doctor.extras import extras
from edgekit.target import target
from tests.unit.machine.recordings import (
    DESKTOP,
    ORIN6,
    VM,
    lay_package,
    named,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def own_metadata() -> str:
    """What an installed EdgeKit says that it needs: its pyproject.toml in the words of core metadata."""
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    lines = [f"Requires-Dist: {line}" for line in project["dependencies"]]
    for extra, needed in project["optional-dependencies"].items():
        lines.append(f"Provides-Extra: {extra}")
        for line in needed:
            what, _, marker = line.partition(";")
            also = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {what}; {also}extra == "{extra}"')
    return "\n".join(lines) + "\n"


def test_every_extra_of_the_project_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    host = VM.changed(packages={"onnxruntime-gpu": "1.31.1", "pydicom": "2.4"}).at(tmp_path)
    lay_package(tmp_path / "site", "edgekit", "0.1", own_metadata())
    diagnoses = {diagnosis.subject: diagnosis for diagnosis in extras(host, target("cpu"))}
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert diagnoses.keys() == {"packages", *(f"extra {name}" for name in project["optional-dependencies"])}
    assert "click" in diagnoses["packages"].what
    assert "onnxruntime" not in diagnoses["packages"].what  # the GPU build stands for it
    assert ("tomli" in diagnoses["packages"].what) == (sys.version_info < (3, 11))
    assert (diagnoses["extra dicom"].state, "pydicom>=3 (has 2.4)" in diagnoses["extra dicom"].what) == ("bad", True)
    assert {diagnoses[f"extra {name}"].state for name in ("tune", "gpu")} == {"good"}
    assert next(f for f in extras(host, named("rtx3050-cuda")) if f.subject == "extra gpu").state == "bad"


def test_a_jetson_s_extra_matters_on_a_jetson_alone(tmp_path: Path) -> None:
    lay_package(tmp_path / "a/site", "edgekit", "0.1", own_metadata())
    lay_package(tmp_path / "b/site", "edgekit", "0.1", own_metadata())
    other = {"cuda-python": "12.9.0" if sys.version_info >= (3, 12) else "13.4.4"}
    [diagnosis] = (
        f for f in extras(DESKTOP.changed(packages=other).at(tmp_path / "a"), target("rtx3050")) if "jet" in f.subject
    )
    assert (diagnosis.state, "needs none of it" in diagnosis.what) == ("good", True)
    [diagnosis] = (
        f for f in extras(ORIN6.changed(packages=other).at(tmp_path / "b"), target("orin")) if "jet" in f.subject
    )
    assert (diagnosis.state, diagnosis.mend) == ("bad", "pip install 'edgekit[jetson]'")
    assert f"(has {other['cuda-python']})" in diagnosis.what


def jetson_s_cuda_python(python: str) -> list[SpecifierSet]:
    """What the extra asks for under a Python."""
    project = tomllib.loads((Path(edgekit.__file__).parents[1] / "pyproject.toml").read_text())["project"]
    requirements = map(Requirement, project["optional-dependencies"]["jetson"])
    return [
        asked.specifier
        for asked in requirements
        if asked.name == "cuda-python" and (asked.marker is None or asked.marker.evaluate({"python_version": python}))
    ]


@pytest.mark.parametrize(("python", "runs", "not_run"), [("3.10", "12.9.10", "13.0.1"), ("3.12", "13.4.4", "14.0.0")])
def test_a_jetson_gets_the_cuda_python_that_its_driver_runs(python: str, runs: str, not_run: str) -> None:
    [asked] = jetson_s_cuda_python(python)
    assert (asked.contains(runs), asked.contains(not_run)) == (True, False)


def test_no_mend_of_an_extra_puts_both_builds_of_the_runtime_side_by_side(tmp_path: Path) -> None:
    lay_package(tmp_path / "site", "edgekit", "0.1", own_metadata())
    both = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install --no-cache-dir onnxruntime-gpu"
    gpu = DESKTOP.changed(packages={"onnxruntime-gpu": "1.31.1"}).at(tmp_path)
    mends = {diagnosis.subject: diagnosis.mend for diagnosis in extras(gpu, named("rtx3050-cuda"))}
    assert not any("edgekit[" in mend for mend in mends.values())
    assert mends["extra tune"] == "pip install 'torch>=2.7' 'transformers>=5'"
    assert "onnxruntime" not in mends["extra gpu"]
    (tmp_path / "site/onnxruntime_gpu-1.31.1.dist-info/METADATA").unlink()
    (tmp_path / "site/onnxruntime_gpu-1.31.1.dist-info").rmdir()
    cpu = DESKTOP.changed(packages={"onnxruntime": "1.31.1"}).at(tmp_path)
    mends = {diagnosis.subject: diagnosis.mend for diagnosis in extras(cpu, named("rtx3050-cuda"))}
    assert mends["extra tune"] == "pip install 'edgekit[tune]'"
    assert mends["extra gpu"].startswith(f"{both}; pip install 'cuda-python")


def test_packages_whose_metadata_is_broken_are_passed_over(tmp_path: Path) -> None:
    host = VM.at(tmp_path)
    (tmp_path / "site/numpy-2.3.dist-info").mkdir()  # what an interrupted pip leaves
    lay_package(tmp_path / "site", "click", "not-a-version")
    more = "Requires-Dist: ???\nRequires-Dist: click>=8\nRequires-Dist: numpy\n"
    lay_package(tmp_path / "site", "edgekit", "0.1", more)
    [diagnosis] = extras(host, target("cpu"))
    assert (diagnosis.state, diagnosis.what, diagnosis.mend) == ("bad", "lacks numpy", "pip install 'numpy'")
