"""An upgrade compiles what has changed: bytecode of equal modules is the earlier release's, where its disk still has
it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from edgekit.deploy.layout import Layout
from edgekit.deploy.site import reused
from edgekit.deploy.site.compiled import compile_modules
from edgekit.deploy.staging import stage, verify_release
from tests.releases import UNIT, PlainCode, small_bundle

FIRST = {"package/__init__.py": b"", "package/same.py": b"A = 1\n", "package/other.py": b"B = 1\n"}
SECOND = FIRST | {"package/other.py": b"B = 2\n", "package/new.py": b"C = 3\n"}


class Compiled(PlainCode):
    """Code whose modules are compiled, as a release's are."""

    def write(self, folder: Path, compile_in: Callable[[Path], None] | None = None) -> None:
        super().write(folder)
        for path in folder.rglob("*.py"):
            path.chmod(0o644)  # as code is installed, whatever the umask here
        assert compile_in is not None
        compile_in(folder)


class Staged:
    """Releases of one bundle; ``asked``: what was compiled for the last one, "all" or by its names."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.layout, self.asked = Layout(folder / "root"), list[str]()
        self.bundle = small_bundle(folder / "bundle", {"graphs/decoder.onnx": b"weights"})

        def counted(site: Path, modules: Sequence[Path] = ()) -> None:
            self.asked = [module.name for module in modules] or ["all"]
            compile_modules(site, modules)

        monkeypatch.setattr(reused, "compile_modules", counted)

    def stage(self, files: Mapping[str, bytes]) -> Path:
        """Return the site of a release of these files, which is whole."""
        self.asked = []
        identity = stage(self.bundle, Compiled(files), self.layout, UNIT).identity
        folder = self.layout.release(identity)
        verify_release(folder, identity)
        assert not [path for path in folder.rglob("*") if path.name.startswith(".")]
        return folder / "site"


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Staged:
    return Staged(tmp_path, monkeypatch)


def bytecode(site: Path, name: str) -> Path:
    return Path(cache_from_source(str(site / "package" / name)))


def test_only_what_has_changed_is_compiled_and_all_is_as_if_it_were(staged: Staged, tmp_path: Path) -> None:
    first = staged.stage(FIRST)
    assert staged.asked == ["all"]
    second = staged.stage(SECOND)
    assert sorted(staged.asked) == ["new.py", "other.py"]
    for name in ("__init__.py", "same.py"):
        assert bytecode(first, name).samefile(bytecode(second, name))
    assert not bytecode(first, "other.py").samefile(bytecode(second, "other.py"))
    (fresh := tmp_path / "fresh").mkdir()
    PlainCode(SECOND).write(fresh)
    compile_modules(fresh)
    for name in SECOND:
        module = Path(name).name
        assert bytecode(second, module).read_bytes() == bytecode(fresh, module).read_bytes()


def test_where_nothing_has_changed_nothing_is_compiled(staged: Staged) -> None:
    staged.stage(FIRST)
    del (fewer := dict(FIRST))["package/other.py"]
    staged.stage(fewer)
    assert staged.asked == []


def test_bytecode_that_the_disk_has_lost_is_compiled_anew(staged: Staged) -> None:
    first = staged.stage(FIRST)
    whole = bytecode(first, "same.py").read_bytes()
    bytecode(first, "same.py").write_bytes(whole[:-1] + b"?")
    second = staged.stage(SECOND)
    assert sorted(staged.asked) == ["new.py", "other.py", "same.py"]
    assert bytecode(second, "same.py").read_bytes() == whole
