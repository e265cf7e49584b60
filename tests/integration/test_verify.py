"""No flipped bit in any file of a bundle passes the gate; and what else may happen to files is one clear error."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.bundle import MANIFEST, open_bundle
from edgekit.cli.main import main
from edgekit.engines.compile import compile_bundle
from edgekit.engines.lock import ENGINES, LOCK
from edgekit.engines.verify import verify_everything
from edgekit.errors import BundleError
from edgekit.profile import gate
from edgekit.profile.store import store
from tests.edited import edit
from tests.embedded_bundles import EmbeddedBundles
from tests.flipped import flip, seen, unseen
from tests.unit.profile.made import profile

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sealed(embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded model's, compiled where this ONNX Runtime can, and profiled."""
    copy = embedded_as.copy("q4", tmp_path_factory.mktemp("verify") / "bundle")
    store(copy, profile())
    return copy.path


@pytest.fixture
def bundle(sealed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sealed, tmp_path / "bundle"))


def test_no_flipped_bit_in_any_file_goes_unseen(bundle: Path) -> None:
    names = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file()}
    assert {MANIFEST, "golden.json", "golden/00.png", "graphs/vision.onnx.data", "embedding.safetensors"} <= names
    assert list(unseen(bundle)) == []
    assert verify_everything(open_bundle(bundle)).files == len(names)
    assert verify_everything(open_bundle(bundle)).unsealed == ()


DAMAGES = ["graphs/vision.onnx.data", "golden/01.png", "tokenizer.json", f"{ENGINES}/*/vision.onnx.data", MANIFEST]


@pytest.mark.parametrize("name", [*DAMAGES, f"{ENGINES}/*/{LOCK}", "profiles/*.json"])
def test_the_gate_refuses_a_damaged_bundle(name: str, bundle: Path, capsys: Capture) -> None:
    files = list(bundle.glob(name))
    if not files and name.startswith(ENGINES):
        pytest.skip("this ONNX Runtime can't save packed weights")
    (file,) = files
    flip(file, file.stat().st_size // 2, 0)
    assert main(["check", str(bundle), "--json"]) == 1
    read = capsys.readouterr()
    assert read.out == ""
    assert str(file) in read.err


def test_without_verifying_it_passes_and_that_is_said(bundle: Path, capsys: Capture) -> None:
    """Where a compiled form answers, a damaged graph is not even read."""
    if not (bundle / ENGINES).exists():
        pytest.skip("this ONNX Runtime can't save packed weights")
    file = bundle / "graphs" / "vision.onnx.data"
    flip(file, file.stat().st_size // 2, 0)
    assert main(["check", str(bundle), "--no-verify", "--json"]) == 0
    read = capsys.readouterr()
    assert "Warning: --no-verify: no file was compared with its hash" in read.err
    assert "verify: done" not in read.err
    assert json.loads(read.out)["verified"] is None


def test_what_was_verified_is_told(bundle: Path, capsys: Capture) -> None:
    files = [file for file in bundle.rglob("*") if file.is_file()]
    assert main(["check", str(bundle), "--json"]) == 0
    read = capsys.readouterr()
    verified = json.loads(read.out)["verified"]
    assert (verified["files"], verified["unsealed"]) == (len(files), [])
    assert verified["bytes"] == sum(file.stat().st_size for file in files)
    assert 0 < verified["seconds"] < 60
    assert "verify: done in" in read.err
    assert main(["check", str(bundle)]) == 0
    assert f"Verified: {len(files)} files" in capsys.readouterr().out


def test_a_bundle_from_before_opens_and_says_what_has_no_hash(bundle: Path, capsys: Capture) -> None:
    before = [bundle / MANIFEST, *bundle.glob(f"{ENGINES}/*/{LOCK}"), *bundle.glob("profiles/*.json")]
    for file in before:
        edit(file, lambda document: None)
    names = [file.relative_to(bundle).as_posix() for file in before]
    assert main(["check", str(bundle), "--json"]) == 0
    read = capsys.readouterr()
    verified, files = json.loads(read.out)["verified"], [file for file in bundle.rglob("*") if file.is_file()]
    assert verified["unsealed"] == names
    assert verified["files"] == len(files) - len(names)  # what has no hash is not said to be as it was sealed
    assert verified["bytes"] == sum(file.stat().st_size for file in files if file not in before)
    assert f"Without a hash, since an older EdgeKit wrote them: {', '.join(names)}." in read.err
    if (bundle / ENGINES).exists():
        compile_bundle(open_bundle(bundle))
        assert LOCK not in " ".join(verify_everything(open_bundle(bundle)).unsealed)


def test_what_nothing_names_is_left_alone(bundle: Path) -> None:
    (bundle / "notes.txt").write_text("of the ward's own")
    (bundle / ".cache").mkdir()
    (bundle / ".cache" / "lock.json").write_text("{")
    (bundle / "profiles" / ".half.json").write_text("{")
    for form in (bundle / ENGINES).glob("*"):
        (form / "runtime.cache").write_bytes(b"of an older EdgeKit")
        shutil.copytree(form, form.with_name(f".{form.name}.0123abcd.part"))
        (form.with_name(f".{form.name}.0123abcd.part") / LOCK).write_text("{")
    assert seen(bundle) == ""


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def grow(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def link(file: Path) -> None:
    """To the very contents, within the bundle."""
    file.symlink_to(file.rename(file.with_name("moved")).name)


@pytest.mark.parametrize("harm", [cut, grow, link, Path.unlink])
@pytest.mark.parametrize("name", ["graphs/decoder.onnx", f"{ENGINES}/*/decoder.onnx", f"{ENGINES}/*/{LOCK}", MANIFEST])
def test_what_else_happens_to_files_is_one_clear_error(
    name: str, harm: Callable[[Path], Any], bundle: Path, capsys: Capture
) -> None:
    file = next(bundle.glob(name), None)
    if file is None:
        pytest.skip("this ONNX Runtime can't save packed weights")
    harm(file)
    assert main(["check", str(bundle)]) == 1
    said = capsys.readouterr().err
    assert said.count("Error:") == 1
    assert file.name in said
    assert str(file.parent) in said


def test_compiled_forms_that_can_t_be_read_are_named(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    opened = open_bundle(bundle)
    monkeypatch.setattr("edgekit.engines.lock.os.scandir", refuse)
    with pytest.raises(BundleError, match=f"{ENGINES} can't be read: Permission denied"):
        verify_everything(opened)


def test_a_profile_does_not_let_a_damaged_bundle_be_installed(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = profile()
    monkeypatch.setattr(gate, "latest", lambda bundle: measured)
    monkeypatch.setattr(gate, "judge", lambda measured, target: ())
    opened = open_bundle(bundle)
    assert gate.require_profile(opened)[0] == measured
    flip(bundle / "embedding.safetensors", 5000, 3)
    with pytest.raises(BundleError, match=r"embedding\.safetensors: the contents differ"):
        gate.require_profile(opened)


@pytest.mark.parametrize(
    "name", ["graphs/decoder.onnx.data", "embedding.safetensors", "tokenizer.json", "golden.safetensors"]
)
def test_nothing_is_compiled_of_a_damaged_bundle(name: str, bundle: Path) -> None:
    """Its check on the GPU, which may end a build well, reads these as well as graphs."""
    opened = open_bundle(bundle)
    flip(bundle / name, 3000, 1)
    with pytest.raises(BundleError, match=f"{name}: the contents differ"):
        compile_bundle(opened)


def test_a_changed_manifest_opens_nowhere(bundle: Path) -> None:
    """Every command refuses it, not the gate alone: it says how pictures and prompts are prepared."""
    text = (bundle / MANIFEST).read_text()
    (bundle / MANIFEST).write_text(text.replace('"context": 1024', '"context": 1023', 1))
    with pytest.raises(BundleError, match=r"manifest\.json: the contents differ"):
        open_bundle(bundle)
