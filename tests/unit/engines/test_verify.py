"""Every record and file of a bundle is read, and each that is damaged says what to do about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit import config
from edgekit.bundle import Bundle, open_bundle
from edgekit.config.writing import write_json
from edgekit.engines.compile import compile_bundle
from edgekit.engines.lock import VERDICT
from edgekit.engines.verify import verify_everything
from edgekit.errors import BundleError
from edgekit.target import target
from edgekit.target.kinds import KINDS
from tests.edited import edit
from tests.flipped import flip
from tests.toy_engine.backend import WITH_PLANS, ToyBackend
from tests.unit.engines.sealed import sealed

KEPT = "kernels.bin"


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """With a form and all that may lie beside it, and a profile."""
    monkeypatch.setitem(KINDS, WITH_PLANS.name, WITH_PLANS)
    monkeypatch.setattr(ToyBackend, "kept_files", lambda self: {KEPT: "remove it; it is only a saving"})
    made = sealed(tmp_path / "bundle", replace(target("cpu"), engine=WITH_PLANS.name))
    folder = compile_bundle(made).folder
    write_json(folder / VERDICT, {"passed": True})
    (folder / KEPT).write_bytes(config.seal.wrap(b"kernels"))
    (made.path / "profiles").mkdir()
    write_json(made.path / "profiles" / "here.json", {"slots": 1})
    return made


def test_every_file_counts_once(bundle: Bundle) -> None:
    files = [file for file in bundle.path.rglob("*") if file.is_file()]
    assert len(files) == 1 + 3 + 3 + 1 + 1 + 1 + 1  # manifest, graphs, plans, lock, verdict, kernels, profile
    verified = verify_everything(bundle)
    assert (verified.files, verified.bytes) == (len(files), sum(file.stat().st_size for file in files))
    assert verified.unsealed == ()


REMEDIES = {
    "graphs/decoder.onnx": "copy or build the bundle again",
    "manifest.json": "copy or build the bundle again",
    "engines/*/decoder.onnx": "edgekit compile",
    "engines/*/lock.json": "edgekit compile",
    "engines/*/check.json": "the next check on that GPU writes it anew",
    f"engines/*/{KEPT}": "it is only a saving",
    "profiles/here.json": "edgekit profile",
}


@pytest.mark.parametrize("name", REMEDIES)
def test_a_damaged_file_is_named_with_what_helps(name: str, bundle: Bundle) -> None:
    (file,) = bundle.path.glob(name)
    flip(file, file.stat().st_size // 2, 0)
    with pytest.raises(BundleError) as caught:
        verify_everything(bundle)
    assert str(file) in caught.value.message
    assert REMEDIES[name] in caught.value.hint


@pytest.mark.parametrize("name", ["manifest.json", "engines/*/lock.json", "engines/*/check.json", "profiles/here.json"])
def test_a_record_without_a_seal_is_told_and_not_counted(name: str, bundle: Bundle) -> None:
    whole = verify_everything(bundle)
    (file,) = bundle.path.glob(name)
    size = file.stat().st_size
    edit(file, lambda document: None)
    verified = verify_everything(open_bundle(bundle.path))
    assert verified.unsealed == (file.relative_to(bundle.path).as_posix(),)
    assert (verified.files, verified.bytes) == (whole.files - 1, whole.bytes - size)


def test_what_another_is_just_writing_and_what_nothing_names_are_left_alone(bundle: Bundle) -> None:
    whole = verify_everything(bundle)
    (folder,) = (bundle.path / "engines").iterdir()
    for place in (folder.with_name(f".{folder.name}.part") / "lock.json", bundle.path / "profiles" / ".half.json"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("{")
    (folder / "notes.txt").write_text("of the ward's own")
    assert replace(verify_everything(bundle), seconds=0) == replace(whole, seconds=0)
