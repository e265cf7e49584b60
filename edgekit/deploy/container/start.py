"""What a container starts: its bundle made ready for this very device, then the service in this process's place.

Engines are compiled at the first start, into the volume; the next ones find them there, and ask them anew where the
last check refused them, or was stopped. A bundle for a GPU is not served by a processor: where the container is shown
no such GPU, it ends, and whoever watches it sees that. The service proves itself at every start, before it is ready.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from edgekit import machine
from edgekit.bundle import PROFILES, Bundle, open_bundle
from edgekit.check import require_answers
from edgekit.check.verdict import check_here, verdict_of
from edgekit.config.state import make_private
from edgekit.deploy.examined import compile_where_lacking
from edgekit.engines.lock import ENGINES, find_form
from edgekit.engines.place import gpu_for
from edgekit.errors import EdgeKitError, EngineError
from edgekit.progress import silent
from edgekit.serve.proof import PROVE

PLACE = Path("/opt/edgekit/bundle")
"""Where the image has its bundle, or has it mounted."""


def prepare(bundle: Bundle) -> None:
    """Compile what this device lacks; :class:`EngineError` where the target's GPU is not there,
    :class:`~edgekit.errors.GateRefused` where the answers fall short, now as at every start before; other errors as of
    compiling, and of the volume."""
    target = bundle.manifest.target
    if target.kind.on_gpu and gpu_for(target, machine.look()) is None:
        raise EngineError(
            f"This container is shown no GPU of the target {target.name} ({target.title})",
            "Start it with the NVIDIA runtime, as compose.yaml and README.md of its build context do.",
        )
    for link in (bundle.path / ENGINES, bundle.path / PROFILES):
        if link.is_symlink():
            make_private(Path(os.readlink(link)))
    compile_where_lacking(bundle, silent)
    if target.kind.needs_plans:
        _require_checked(bundle)


def _require_checked(bundle: Bundle) -> None:
    """Ask plans that lie in the volume and have not passed: the run that compiled them is the only one that asks."""
    form, _ = find_form(bundle)
    verdict = verdict_of(form) if form else None
    if verdict is None or verdict.shortfall:
        require_answers(check_here(bundle))


def command(bundle: Path, variables: Mapping[str, str]) -> list[str]:
    """Return the command of the service, by the interpreter that runs this."""
    host, port = variables.get("EDGEKIT_HOST", "127.0.0.1"), variables.get("EDGEKIT_PORT", "8080")
    return [sys.executable, "-s", "-m", "edgekit", "serve", str(bundle), "--host", host, "--port", port]


def main(place: Path = PLACE) -> None:
    """Prepare the bundle, then become the service; exit code 1 where that can't be, and why on stderr.

    A container's first process gets no signal that it has not asked for: a stop has to end the compiling, too.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        prepare(open_bundle(place))
    except EdgeKitError as error:
        sys.exit(f"{error.message}\n{error.hint}")
    words = command(place, os.environ)
    os.execve(words[0], words, {**os.environ, PROVE: "1"})


if __name__ == "__main__":
    main()
