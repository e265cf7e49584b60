"""The lock of a compiled form: for which processor, runtime and graphs it was made; and is it right here?

``engines/FINGERPRINT/lock.json`` of a bundle. A form made elsewhere would compute nonsense without an error, so
everything is compared before every use, and the form's probe is run. What doesn't fit is passed over: the bundle's
own graphs run everywhere.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort

from edgekit import config
from edgekit.bundle import Bundle
from edgekit.detect import cpu_features
from edgekit.engines.probe import PROBE, answers
from edgekit.errors import EdgeKitError
from edgekit.files import write_text

ENGINES = "engines"
LOCK = "lock.json"
_FORMAT = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """What packed weights depend on."""

    engine: str
    version: str
    arch: str
    features: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """Names the folder, so that one bundle can hold forms for several machines."""
        return hashlib.sha256(json.dumps(config.dump(self)).encode()).hexdigest()[:16]

    def differences(self, other: Place) -> list[str]:
        """What of ``other`` is not as here, in words."""
        found = []
        if (other.engine, other.version) != (self.engine, self.version):
            found.append(f"{other.engine} {other.version}, here {self.version}")
        if other.arch != self.arch:
            found.append(f"an {other.arch} processor, here {self.arch}")
        elif odd := sorted(set(other.features) ^ set(self.features)):
            found.append(f"a processor that differs in {', '.join(odd)}")
        return found


@dataclass(frozen=True)
class Lock:
    """``graphs`` are the SHA-256 of the bundle's graphs, ``files`` the sizes of the form's own; ``probe`` is what
    its probe must answer. ``seconds`` and ``peak_bytes`` are what it took to make."""

    format: int
    place: Place
    graphs: dict[str, str]
    files: dict[str, int]
    probe: str
    seconds: float
    peak_bytes: int


def here() -> Place:
    """This machine, with the runtime that is installed."""
    return Place("onnxruntime", ort.__version__, platform.machine(), cpu_features())


def folder_here(bundle: Bundle) -> Path:
    """Where this machine's compiled form of a bundle lies, or would lie."""
    return bundle.path / ENGINES / here().fingerprint


def write_lock(bundle: Bundle, folder: Path, probe: str, seconds: float, peak_bytes: int) -> None:
    """Lock the form in ``folder`` to this machine and the bundle's graphs as they are."""
    files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    lock = Lock(_FORMAT, here(), _graphs(bundle), files, probe, round(seconds, 2), peak_bytes)
    write_text(folder / LOCK, json.dumps(config.dump(lock), indent=1) + "\n")


def compiled_form(bundle: Bundle) -> Path | None:
    """The folder of the form that is right for this machine; None where there is none, and a warning says why."""
    folder = folder_here(bundle)
    if not folder.exists():
        others = sorted(bundle.path.glob(f"{ENGINES}/*/{LOCK}"), key=lambda file: file.stat().st_mtime)
        why = _made_elsewhere(others[-1]) if others else ""
    else:
        why = _misfit(bundle, folder)
    if why:
        _log.warning("%s: %s. Going on without; `edgekit compile %s` makes it anew.", folder, why, bundle.path)
    return None if why or not folder.exists() else folder


def _made_elsewhere(file: Path) -> str:
    try:
        found = config.load_json(file, Lock).place
    except EdgeKitError as error:
        return error.message
    return f"the compiled form is for {'; '.join(here().differences(found)) or 'another machine'}"


def _misfit(bundle: Bundle, folder: Path) -> str:
    """Why the form in ``folder`` is not to be used; "" where it is."""
    try:
        lock = config.load_json(folder / LOCK, Lock)
        if lock.format != _FORMAT:
            return f"the compiled form has format {lock.format}, not {_FORMAT}"
        if different := here().differences(lock.place):
            return f"the compiled form is for {'; '.join(different)}"
        if lock.graphs != _graphs(bundle):
            return "the compiled form is of other graphs than the bundle's"
        for name, size in lock.files.items():
            if not (folder / name).is_file() or (folder / name).stat().st_size != size:
                return f"{name} of the compiled form is missing or of another size"
        if answers(folder / PROBE) != lock.probe:
            return "the compiled form computes something else here than where it was made"
    except EdgeKitError as error:
        return error.message
    except OSError as error:
        return f"the compiled form can't be read: {error.strerror}"
    return ""


def _graphs(bundle: Bundle) -> dict[str, str]:
    files = bundle.manifest.files
    return {name: entry.sha256 for name, entry in files.items() if name.startswith("graphs/")}
