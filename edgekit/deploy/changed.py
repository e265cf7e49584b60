"""What of the machine is no longer as the service was installed with it, or as it runs with it: told before the next
start finds it. Nothing is loaded and nothing computed.

A process goes on for days with what it has mapped, whatever an update laid over it; then a restart fails, or answers
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from edgekit.bundle import Bundle, open_bundle
from edgekit.check.nightly import Finding
from edgekit.deploy.layout import BUNDLE, SYSTEM, Layout
from edgekit.deploy.record import read_record
from edgekit.deploy.staging import verify_release
from edgekit.deploy.unit.settings import PYTHON
from edgekit.doctor.halves import halves
from edgekit.doctor.jetson import jetson
from edgekit.engines.believed import is_whole
from edgekit.engines.lock import forms
from edgekit.errors import EdgeKitError
from edgekit.machine.host import Host
from edgekit.machine.replaced import replaced_libraries
from edgekit.progress import Progress, silent

SHOWN = 5
_GO_BACK = "Have the disk looked at. `sudo edgekit rollback` goes back to the release before, if that is whole."
_AGAIN = "Start it anew at a time that suits, and look whether it answers: sudo systemctl restart edgekit"
_COMPILE = (
    "At a time that suits, stop the service and install the same bundle, which compiles what can't be used: "
    "`sudo systemctl stop edgekit`, then `sudo edgekit install BUNDLE`."
)
"""Nothing is compiled beside a service that runs, whose GPU that takes."""


def changed(layout: Layout, release: str, host: Host, progress: Progress = silent) -> Iterator[Finding]:
    """Yield what the next start of the installed ``release`` would find: another Python, damaged files, engines that
    are for something else by now, packages of the system's that are gone, halves of a driver that differ."""
    folder = layout.release(release)
    try:
        record = read_record(folder, release)
    except EdgeKitError as error:
        yield Finding(error.message, _GO_BACK)
        return
    ours = host.run(str(PYTHON), "-c", "import sys; print(*sys.version_info[:2], sep='.')").out.strip()
    if ours and record.python != ours:
        what = f"the release is for Python {record.python}, and the system's is {ours} by now: it can't start again"
        yield Finding(what, "Install EdgeKit by that Python, then the bundle again: edgekit install BUNDLE")
    try:
        verify_release(folder, release, progress)
        bundle = open_bundle(folder / BUNDLE)
    except EdgeKitError as error:
        yield Finding(error.message, _GO_BACK)
        return
    yield from _engines(bundle)
    yield from _system_packages(layout, folder / SYSTEM)
    for judge in (halves, jetson):
        for diagnosis in judge(host, bundle.manifest.target):
            if diagnosis.state == "bad":
                yield Finding(f"{diagnosis.subject}: {diagnosis.what}", diagnosis.mend)


def replaced(pid: int, proc: Path = Path("/proc")) -> tuple[Finding, ...] | None:
    """Return what was replaced under the running process ``pid``, 0 for none; None where it is gone, or may not be
    looked at."""
    paths = replaced_libraries(pid, proc) if pid else ()
    if not paths:
        return None if paths is None else ()
    more = f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else ""
    names = ", ".join(PurePosixPath(path).name for path in paths[:SHOWN])
    return (Finding(f"replaced under the running service, which goes on with the old: {names}{more}", _AGAIN),)


def _engines(bundle: Bundle) -> Iterator[Finding]:
    """A GPU's plans are for one driver and one TensorRT; a processor goes on without its own form."""
    if not bundle.manifest.target.kind.on_gpu:
        return
    try:
        compiled = forms(bundle)
    except OSError as error:
        yield Finding(f"compiled engines can't be read: {error.strerror}", _GO_BACK)
        return
    fit = [form for form in compiled if not form.misfit]
    if compiled and not fit:
        yield Finding(f"no compiled engine is for this machine any more: {compiled[-1].misfit}", _COMPILE)
    elif fit and not is_whole(bundle, fit[-1].folder):
        yield Finding(f"{fit[-1].folder} is not what was compiled here", _COMPILE)


def _system_packages(layout: Layout, folder: Path) -> Iterator[Finding]:
    """Packages that the release has links to alone, as of JetPack's TensorRT."""
    for link in sorted(folder.glob("*")):
        if link.is_symlink() and not layout.at(link.readlink().as_posix()).exists():
            what = f"{link.readlink()} is gone, which the release takes {link.name} from"
            yield Finding(what, f"Install the system's package of {link.name} again.")
