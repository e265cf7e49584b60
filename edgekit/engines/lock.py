"""The lock of a compiled form: for which processor, runtime and graphs it was made; and is it right here?

``engines/FINGERPRINT/lock.json`` of a bundle. A form made elsewhere would compute nonsense without an error, so
everything is compared before every use, and the form's probe is run. What doesn't fit is passed over, and kept. A
processor goes on with the bundle's own graphs then; a device that answers by its GPU has to compile first.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgekit.bundle import Bundle
from edgekit.bundle.hashes import FileEntry, Sealed, hash_files, unreadable
from edgekit.config import load_json
from edgekit.config.writing import write_json
from edgekit.engines.backend import backend_for
from edgekit.engines.believed import doubt
from edgekit.engines.place import Place
from edgekit.errors import BundleError, EdgeKitError

ENGINES = "engines"
LOCK = "lock.json"
VERDICT = "check.json"
"""Beside a lock: what the golden check said of the form (:mod:`edgekit.check.verdict`)."""
_FORMAT = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Binds a form to a machine and to the bundle's graphs.

    - ``format``: the lock's own
    - ``place``: what the form is for
    - ``graphs``: the SHA-256 of the bundle's graphs
    - ``files``: size and SHA-256 of the form's own files
    - ``probe``: what its probe must answer, "" where it has none
    - ``seconds``, ``peak_bytes``: what it took to make
    - ``shapes``: the sizes that it can be run with, {} for any
    """

    format: int
    place: Place
    graphs: dict[str, str]
    files: dict[str, FileEntry]
    probe: str
    seconds: float
    peak_bytes: int
    shapes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """A compiled form that lies in a bundle.

    ``lock`` is None where it can't be read; ``misfit`` says why the form is not for this machine and this bundle,
    and is "" where it is.
    """

    folder: Path
    lock: Lock | None
    misfit: str

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.lock.files.values()) if self.lock else 0


def engines_folder(bundle: Bundle) -> Path:
    """Return where a bundle's compiled forms lie: in it, or, of an installed one, where its link leads."""
    return bundle.path / ENGINES


def folder_of(bundle: Bundle, place: Place) -> Path:
    """Return where a bundle's compiled form for a place lies, or would lie."""
    return engines_folder(bundle) / place.fingerprint


def write_lock(bundle: Bundle, folder: Path, place: Place, probe: str, seconds: float, peak_bytes: int) -> None:
    """Lock the form in ``folder`` to a place and the bundle's graphs as they are; ``probe`` "" where there is none."""
    entries, shapes = hash_files(folder), backend_for(bundle).shapes(bundle)
    lock = Lock(
        format=_FORMAT,
        place=place,
        graphs=_graphs(bundle),
        files=entries,
        probe=probe,
        seconds=round(seconds, 2),
        peak_bytes=peak_bytes,
        shapes=shapes,
    )
    write_json(folder / LOCK, lock)


def compiled_form(bundle: Bundle) -> Path | None:
    """Return the folder of the form that is right for this machine; None where there is none, and a warning says
    why."""
    form, why = find_form(bundle)
    if why:
        path = shlex.quote(str(bundle.path))
        _log.warning("%s. Going on without; `edgekit compile %s` makes one for this machine.", why, path)
    return form


def find_form(bundle: Bundle) -> tuple[Path | None, str]:
    """Return the folder of the form that is right for this machine, and ""; or None, and why the newest is not, ""
    where there is none at all."""
    wrong: list[str] = []
    try:
        newest_first = forms(bundle)[::-1]
        for form in sorted(newest_first, key=lambda form: bool(form.misfit)):
            why = form.misfit or _odd_answer(bundle, form)
            if not why:
                return form.folder, ""
            wrong.append(f"{form.folder}: {why}")
    except OSError as error:
        wrong.append(f"{engines_folder(bundle)}: compiled forms can't be read: {error.strerror}")
    return None, next(iter(wrong), "")


def place_of(folder: Path) -> Place:
    """Return what the compiled form in ``folder`` is for; :class:`EdgeKitError` where its lock can't be read."""
    return load_json(folder / LOCK, Lock).place


def forms(bundle: Bundle) -> list[Form]:
    """Return every compiled form of a bundle, for whichever machine, the newest last; :class:`OSError` as of the
    disk."""
    try:
        with os.scandir(engines_folder(bundle)) as entries:
            folders = [Path(entry) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except FileNotFoundError:
        return []
    return [_form(bundle, folder) for folder in sorted(folders, key=lambda folder: folder.stat().st_mtime)]


def form_files(bundle: Bundle) -> list[Sealed]:
    """Return every file of every compiled form, as its lock has it; :class:`BundleError` where a lock or the disk is
    mute.

    Starts compare sizes only, and a few weights by the probe: reading all would cost them what mapping saves.
    """
    try:
        compiled = forms(bundle)
    except OSError as error:
        raise unreadable(engines_folder(bundle), error) from error
    return [file for form in compiled for file in _files(bundle, form)]


def _files(bundle: Bundle, form: Form) -> Iterator[Sealed]:
    again = f"edgekit compile {shlex.quote(str(bundle.path))}"
    remedy = f"remove {form.folder}, or run `{again}` on the machine that it is for"
    if form.lock is None or (damage := _wrong_size(form.folder, form.lock)):
        what = form.misfit if form.lock is None else f"{form.folder}: {damage}"
        raise BundleError(what, f"The compiled form is damaged: {remedy}.")
    for name, entry in form.lock.files.items():
        yield Sealed(form.folder / name, entry, remedy)


def _form(bundle: Bundle, folder: Path) -> Form:
    try:
        lock = load_json(folder / LOCK, Lock)
    except EdgeKitError as error:
        return Form(folder, None, error.message)
    return Form(folder, lock, "; ".join(_misfits(bundle, folder, lock)))


def _misfits(bundle: Bundle, folder: Path, lock: Lock) -> Iterator[str]:
    """All that is wrong with a form here, as far as the lock and the files' sizes tell."""
    if lock.format != _FORMAT:
        yield f"the compiled form has format {lock.format}, not {_FORMAT}"
        return
    if folder != folder_of(bundle, lock.place):
        yield "the compiled form is in the folder of another machine"
    if unbelieved := doubt(bundle, folder, folder / LOCK):
        yield unbelieved
    if lock.graphs != _graphs(bundle):
        yield "the compiled form is of other graphs than the bundle's"
    shapes = backend_for(bundle).shapes(bundle)
    if different := [f"{name} {size}" for name, size in lock.shapes.items() if shapes.get(name) != size]:
        yield f"the compiled form is for other sizes than the bundle's: {', '.join(different)}"
    if wrong := _wrong_size(folder, lock):
        yield wrong
    if different := backend_for(bundle).like(lock.place).differences(lock.place):
        yield f"the compiled form is for {'; '.join(different)}"


def _odd_answer(bundle: Bundle, form: Form) -> str:
    """Why this machine's form is not to be used, by what its probe computes; "" where it is."""
    assert form.lock, "a form without a lock is a misfit"
    try:
        if form.lock.probe and backend_for(bundle).probe(form.folder) != form.lock.probe:
            return "the compiled form computes something else here than where it was made"
    except EdgeKitError as error:
        return error.message
    return ""


def _wrong_size(folder: Path, lock: Lock) -> str:
    for name, entry in lock.files.items():
        file = folder / name
        if Path(name).name != name or not file.is_file() or file.stat().st_size != entry.bytes:
            return f"{name} of the compiled form is missing or of another size"
    return ""


def _graphs(bundle: Bundle) -> dict[str, str]:
    files = bundle.manifest.files
    return {name: entry.sha256 for name, entry in files.items() if name.startswith("graphs/")}
