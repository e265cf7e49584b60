"""A bundle: graphs, tokenizer, embedding and a manifest that hashes every file; the only thing that travels.

It is written beside its place and renamed in, so it is never half there. Opening checks the manifest, by the seal that
it carries itself (:mod:`edgekit.seal`), and the size of every file; :func:`verify` reads them all and compares their
hashes. What a device adds later (compiled engines, profiles) lies in folders of its own and is not part of the seal.
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

from edgekit import config, seal
from edgekit.checkpoint.check import check_spec
from edgekit.checkpoint.spec import ModelSpec
from edgekit.errors import BundleError, CheckpointError, ConfigError
from edgekit.files import new_directory, write_text
from edgekit.hashes import FileEntry, Sealed, check_hashes, hash_files, unreadable
from edgekit.progress import Progress, silent
from edgekit.recipe import Recipe
from edgekit.target import Target

FORMAT = 1
MANIFEST, PROFILES = "manifest.json", "profiles"
_LARGEST_ARENA = 1 << 40  # bytes of keys and values; no machine that this is for has them


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself. ``forced`` names the gates that ``--force`` passed over."""

    format: int
    edgekit: str
    source: str
    spec: ModelSpec
    recipe: Recipe
    target: Target
    context: int
    forced: tuple[str, ...]
    files: dict[str, FileEntry]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle. ``digest`` is the SHA-256 (hex) of its manifest, and so of everything sealed."""

    path: Path
    manifest: Manifest
    digest: str

    def file(self, name: str) -> Path:
        """The path of a sealed file; :class:`BundleError` where the manifest doesn't list it."""
        if name not in self.manifest.files:
            raise BundleError(f"{self.path}: the bundle holds no '{name}'", "Build the bundle again.")
        return self.path / name

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
        write_text(folder / MANIFEST, seal.dumps(config.dump(sealed)))


def unsealed(folder: Path, manifest: Manifest) -> Bundle:
    """What lies in a folder that is being filled, as a bundle that can be opened but vouches for nothing."""
    files = {
        p.relative_to(folder).as_posix(): FileEntry(p.stat().st_size, "") for p in folder.rglob("*") if p.is_file()
    }
    return Bundle(folder, replace(manifest, files=files), "")


def open_bundle(path: Path) -> Bundle:
    """Open a bundle and check its manifest and the size of every file.

    :class:`BundleError` says which file is missing or of another size, or what of the manifest is wrong.
    """
    try:
        text = (path / MANIFEST).read_bytes()
    except OSError as error:
        if (path / "config.json").exists():
            hint = f"That is a checkpoint. Make a bundle of it: edgekit build {path}"
        else:
            hint = "Give the folder that `edgekit build` wrote."
        raise BundleError(f"{path} is not a bundle ({MANIFEST}: {error.strerror})", hint) from error
    manifest = _read_manifest(path, text)
    for name, entry in manifest.files.items():
        _check_size(path, name, entry)
    return Bundle(path, manifest, hashlib.sha256(text).hexdigest())


def sealed_files(bundle: Bundle) -> list[Sealed]:
    """Every file that the manifest names, as it was sealed."""
    remedy = "copy or build the bundle again"
    return [Sealed(bundle.path / name, entry, remedy) for name, entry in bundle.manifest.files.items()]


def verify(bundle: Bundle, progress: Progress = silent) -> None:
    """Read every sealed file and compare its hash; :class:`BundleError` names the first that is not as it was sealed.

    What was added on a device is :func:`edgekit.engines.verify.verify_everything`'s.
    """
    check_hashes(sealed_files(bundle), progress)


def _read_manifest(path: Path, text: bytes) -> Manifest:
    where = str(path / MANIFEST)
    try:
        data, _ = seal.loads(text, where)
    except ConfigError as error:
        raise BundleError(error.message, "Copy or build the bundle again.") from error
    version = data.get("format") if isinstance(data, dict) else None
    if version != FORMAT:
        raise BundleError(
            f"{where} has format {version!r}; this EdgeKit reads format {FORMAT}",
            "Use the EdgeKit that built it, or build the bundle again with this one.",
        )
    try:
        manifest = config.load(Manifest, data, where)
        check_spec(manifest.spec, where)
        _check_context(manifest, where)
    except (ConfigError, CheckpointError) as error:
        raise BundleError(error.message, "The manifest was damaged or changed: build the bundle again.") from error
    return manifest


def _check_context(manifest: Manifest, where: str) -> None:
    """The rule that a build keeps: an image and some text fit into the context, which the model was made for."""
    context, target, decoder = manifest.context, manifest.target, manifest.spec.decoder
    most = min(target.context, decoder.context)
    if not 1 <= manifest.spec.tokens_per_image + 64 <= context <= most:
        raise ConfigError(f"{where} has a context of {context}; at most {most}, and more than an image takes, can be")
    tensors, rows = 2 * decoder.layers, target.slots * context
    if tensors * rows * decoder.kv_heads * decoder.head_dim * 4 > _LARGEST_ARENA:
        raise ConfigError(f"{where} wants more keys and values than any machine holds ({target.slots} slots)")


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
        found = file.stat()
    except OSError as error:
        raise unreadable(file, error) from error
    is_file = stat.S_ISREG(found.st_mode)
    if not is_file or found.st_size != entry.bytes:
        what = f"has {found.st_size} bytes, not {entry.bytes}" if is_file else "is not a file"
        raise BundleError(f"{file} {what}", "Copy or build the bundle again.")
    if not os.access(file, os.R_OK):
        raise unreadable(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _refuse_foreign(out: Path) -> None:
    if out.exists() and not (out / MANIFEST).exists() and not (out.is_dir() and not any(out.iterdir())):
        raise BundleError(f"{out} exists and is not a bundle", "Choose another place with --out, or remove it.")
