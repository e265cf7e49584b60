"""Bytecode that an earlier release has of the very same modules: linked, where compiling would give it again.

Compiling takes most of the time of an upgrade's code, of which little changes. What is linked was read from the disk
and compared with its hash, as all that is shared; its name has the interpreter's version in it.
"""

from __future__ import annotations

from importlib.util import cache_from_source
from pathlib import Path

from edgekit.bundle.hashes import FileEntry, hash_files
from edgekit.deploy.layout import SITE
from edgekit.deploy.sharing import Earlier
from edgekit.deploy.site.compiled import compile_modules

_MODE = 0o644
_FEW = 400
"""Modules that are compiled one after the other; more of them, and all are, on every processor."""


def compile_reusing(earlier: Earlier, folder: Path) -> None:
    """Compile all modules in ``folder``, the code of a release that is being written, but for those that an ``earlier``
    one has compiled; errors as of :func:`~edgekit.deploy.site.compiled.compile_modules` and of the disk."""
    folder = folder.absolute()
    compiled: dict[Path, Path] = {}
    wanted: dict[Path, FileEntry] = {}
    for name, source in hash_files(folder).items():
        if not name.endswith(".py"):
            continue
        bytecode = Path(cache_from_source(name))
        compiled[folder / name] = folder / bytecode
        entry = earlier.beside(f"{SITE}/{name}", source, f"{SITE}/{bytecode.as_posix()}")
        if entry is not None:
            wanted[folder / bytecode] = entry
    for place in {path.parent for path in wanted}:
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
    linked = earlier.link(wanted, _MODE)
    left = [module for module, bytecode in compiled.items() if bytecode not in linked]
    if len(left) > _FEW or not linked:
        compile_modules(folder)
    elif left:
        compile_modules(folder, left)
