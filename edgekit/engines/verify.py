"""Is every file of a bundle what it was when it was written? What a gate asks before it believes an answer.

An answer does not tell: a damaged graph is never read where a compiled form of it answers, and one flipped bit of a
weight among millions changes no token. So every sealed file, every file of every compiled form, and every record that
carries its own seal is read. What nothing names is left alone: it is not used either.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import config
from edgekit.bundle import MANIFEST, PROFILES, Bundle, sealed_files
from edgekit.bundle.hashes import check_hashes, read_sealed
from edgekit.config import seal
from edgekit.engines.backend import backend_for
from edgekit.engines.lock import ENGINES, LOCK, VERDICT, form_files
from edgekit.errors import BundleError, ConfigError
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Verified:
    """What of a bundle was compared, and the seconds that it took. ``unsealed``, not among it: records of an EdgeKit
    that did not seal them; of these nobody can tell more than that they can be read."""

    files: int
    bytes: int
    seconds: float
    unsealed: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return what was compared, as JSON has it."""
        return {**config.dump(self), "seconds": round(self.seconds, 3)}


def verify_everything(bundle: Bundle, progress: Progress = silent) -> Verified:
    """Compare every file of ``bundle`` with its hash; :class:`BundleError` names one that is not as it was written.

    Forms of other machines count as well: they travel with the bundle, and are relied on where it arrives.
    """
    began = time.perf_counter()
    records: dict[bool, list[Path]] = {True: [], False: []}
    for path, remedy in _records(bundle):
        records[_is_sealed(bundle, path, remedy)].append(path)
    files = [*sealed_files(bundle), *form_files(bundle)]
    check_hashes(files, progress)
    size = sum(file.entry.bytes for file in files) + sum(path.stat().st_size for path in records[True])
    unsealed = tuple(path.relative_to(bundle.path).as_posix() for path in records[False])
    return Verified(len(files) + len(records[True]), size, time.perf_counter() - began, unsealed)


def _records(bundle: Bundle) -> Iterator[tuple[Path, str]]:
    """Files that no list has the hash of, and what to do where one is damaged; not what another is just writing."""
    compile_again = "remove its folder, or run `edgekit compile` again on the machine that it is for"
    yield bundle.path / MANIFEST, "copy or build the bundle again"
    for pattern, remedy in (
        (f"{ENGINES}/*/{LOCK}", compile_again),
        (f"{ENGINES}/*/{VERDICT}", "remove it; the next check on that GPU writes it anew"),
        *((f"{ENGINES}/*/{name}", remedy) for name, remedy in backend_for(bundle).kept_files().items()),
        (f"{PROFILES}/*.json", "remove it, and measure again with `edgekit profile`"),
    ):
        for path in sorted(bundle.path.glob(pattern)):
            if not any(part.startswith(".") for part in path.relative_to(bundle.path).parts):
                yield path, remedy


def _is_sealed(bundle: Bundle, path: Path, remedy: str) -> bool:
    """Whether a record carries a seal; :class:`BundleError` where that is broken, or where it can't be read."""
    text = read_sealed(path)
    if path.name in backend_for(bundle).kept_files():
        if seal.unwrap(text) is None:
            raise BundleError(f"{path}: the contents differ from what was sealed", f"Damaged or changed: {remedy}.")
        return True
    try:
        return seal.loads(text, str(path))[1]
    except ConfigError as error:
        raise BundleError(error.message, f"The file was damaged or changed: {remedy}.") from error
