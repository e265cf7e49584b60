"""A bundle: graphs, tokenizer, embedding and a manifest that hashes every file; the only thing that travels.

It is written beside its place and renamed in, so it is never half there. Opening checks the manifest, by the seal that
it carries itself (:mod:`edgekit.config.seal`), and the size of every file; :func:`verify` reads them all and compares
their hashes. What a device adds later (compiled engines, profiles) lies in folders of its own and is not part of the
seal.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from edgekit.bundle.hashes import FileEntry, Sealed, check_hashes, hash_files, unreadable
from edgekit.bundle.manifest import MANIFEST, Manifest, read_manifest
from edgekit.config.writing import write_json
from edgekit.errors import BundleError
from edgekit.files import new_directory
from edgekit.progress import Progress, silent

PROFILES = "profiles"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. ``digest`` is the SHA-256 (hex) of its manifest, and so of everything sealed."""

    path: Path
    manifest: Manifest
    digest: str

    def file(self, name: str) -> Path:
        """Return the path of a sealed file; :class:`BundleError` where the manifest doesn't list it."""
        if name not in self.manifest.files:
            raise BundleError(f"{self.path}: the bundle holds no '{name}'", "Build the bundle again.")
        return self.path / name

    @property
    def fingerprint(self) -> str:
        """Which bundle it is, in a word."""
        return f"edgekit-{self.digest[:16]}"

    @property
    def bytes(self) -> int:
        """Bytes of all sealed files."""
        return sum(entry.bytes for entry in self.manifest.files.values())


@contextmanager
def sealing(out: Path, manifest: Manifest, progress: Progress = silent, forced: Sequence[str] = ()) -> Iterator[Path]:
    """Yield an empty folder beside ``out``; when the block ends well, hash, seal and rename it to ``out``.

    A bundle already at ``out`` is replaced only then; anything else at ``out`` is refused. If the block
    fails or is interrupted, the folder is removed and ``out`` stays as it was. ``forced`` is read when the block has
    ended: gates that it passed over, beside those that the manifest names already.
    """
    _refuse_foreign(out)
    with new_directory(out, replace=True) as folder:
        yield folder
        sealed = replace(manifest, files=hash_files(folder, progress), forced=(*manifest.forced, *forced))
        write_json(folder / MANIFEST, sealed)


def unsealed(folder: Path, manifest: Manifest) -> Bundle:
    """Return what lies in a folder that is being filled, as a bundle that can be opened but vouches for nothing."""
    files = {
        p.relative_to(folder).as_posix(): FileEntry(p.stat().st_size, "") for p in folder.rglob("*") if p.is_file()
    }
    return Bundle(folder, replace(manifest, files=files), "")


def open_bundle(path: Path) -> Bundle:
    """Open a bundle and check its manifest and the size of every file.

    :class:`BundleError` says which file is missing or of another size, or what of the manifest is wrong.
    """
    try:
        text = _read_manifest(path / MANIFEST)
    except OSError as error:
        if (path / "config.json").exists():
            hint = f"That is a checkpoint. Make a bundle of it: edgekit build {path}"
        else:
            hint = "Give the folder that `edgekit build` wrote."
        raise BundleError(f"{path} is not a bundle ({MANIFEST}: {error.strerror})", hint) from error
    manifest = read_manifest(path / MANIFEST, text)
    for name, entry in manifest.files.items():
        _check_size(path, name, entry)
    return Bundle(path, manifest, hashlib.sha256(text).hexdigest())


def _read_manifest(path: Path) -> bytes:
    """Read it; not waiting for who would write to a pipe that stands in its place."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        return stream.read()


def sealed_files(bundle: Bundle) -> list[Sealed]:
    """Return every file that the manifest names, as it was sealed."""
    remedy = "copy or build the bundle again"
    return [Sealed(bundle.path / name, entry, remedy) for name, entry in bundle.manifest.files.items()]


def verify(bundle: Bundle, progress: Progress = silent) -> None:
    """Read every sealed file and compare its hash; :class:`BundleError` names the first that is not as it was sealed.

    What was added on a device is :func:`edgekit.engines.verify.verify_everything`'s.
    """
    check_hashes(sealed_files(bundle), progress)


def _lies_inside(path: Path, name: str) -> bool:
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts or "\0" in name or "\\" in name:
        return False
    try:
        return (path / name).resolve().is_relative_to(path.resolve())
    except (ValueError, RuntimeError, OSError):  # no UTF-8, a loop of links, too long
        return False


def _check_size(path: Path, name: str, entry: FileEntry) -> None:
    file = path / name
    if not _lies_inside(path, name):
        raise BundleError(f"{path / MANIFEST} names {name!r}, which lies outside the bundle", "Don't use this bundle.")
    try:
        status = file.stat()
    except OSError as error:
        raise unreadable(file, error) from error
    is_file = stat.S_ISREG(status.st_mode)
    if not is_file or status.st_size != entry.bytes:
        damage = f"has {status.st_size} bytes, not {entry.bytes}" if is_file else "is not a file"
        raise BundleError(f"{file} {damage}", "Copy or build the bundle again.")
    if not os.access(file, os.R_OK):
        raise unreadable(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not (out / MANIFEST).exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BundleError(f"{out} exists and is not a bundle", "Choose another place with --out, or remove it.")
