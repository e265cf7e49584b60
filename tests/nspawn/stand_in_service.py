"""What stands in for ``edgekit`` in a release that a booted tree runs: Python's own library alone, from 3.9 on.

``serve`` does as ``bundle/manner`` of its release says: "well", "slowly", "breaks" once it is ready, "damaged" (ends
with 3), "never" (gets ready). It takes orders from a file of its state's folder, a JSON list: a word and what it needs;
what came of it lies beside. ``rollback`` goes to the release that ``state/rescue`` names, and says whose code that did.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_kept: list[bytes] = []


def notify(text: str) -> None:
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect("\0" + address[1:] if address[0] == "@" else address)
        connection.send(text.encode())


def tell() -> dict[str, object]:
    """What the service sees of itself; its release is read only now."""
    from edgekit import release  # type: ignore[attr-defined]

    devices = sorted(os.listdir("/dev"))
    return {"release": release.NAME, "uid": os.getuid(), "argv": sys.argv[1:], "devices": devices}


def obey(order: list[str]) -> object:
    word, *rest = order
    if word == "tell":
        return tell()
    if word == "hang":
        time.sleep(3600)
    if word == "take":
        _kept.append(b"x" * int(rest[0]))
    try:
        if word == "read":
            return Path(os.path.expandvars(rest[0])).read_text()
        if word == "write":
            Path(rest[0]).write_text("written")
    except OSError as error:
        return {"refused": error.strerror}
    return "done"


def serve() -> int:
    state, manner = Path(os.environ["STATE_DIRECTORY"]), Path("/mnt/release/bundle/manner").read_text()
    order, answer, stopped = state / "order", state / "answer", []
    if manner != "never":
        signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    script = "import signal, sys, time; signal.signal(15, lambda *_: open(sys.argv[1], 'w')); time.sleep(3600)"
    subprocess.Popen([sys.executable, "-c", script, str(state / "child-was-told")])
    if manner == "damaged":
        return 3
    time.sleep({"slowly": 2, "never": 3600}.get(manner, 0))
    notify("READY=1")
    while not stopped:
        notify("WATCHDOG=1")
        if order.exists():
            words = json.loads(order.read_text())
            order.unlink()
            came = obey(words)
            (state / "answer.new").write_text(json.dumps(came))
            (state / "answer.new").rename(answer)
        if manner == "breaks":
            time.sleep(0.3)
            return 1
        time.sleep(0.05)
    (state / "stopped").touch()
    return 0


def rollback(prefix: Path) -> int:
    from edgekit import release  # type: ignore[attr-defined]

    rescue = (prefix / "state/rescue").resolve().name
    (prefix / "current.new").symlink_to(f"releases/{rescue}")
    (prefix / "current.new").rename(prefix / "current")
    (prefix / "state/went-back").write_text(release.NAME)
    subprocess.run(["systemctl", "reset-failed", "edgekit.service"], check=True)
    return subprocess.run(["systemctl", "start", "edgekit.service"]).returncode


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1] == "serve" else rollback(Path(sys.argv[sys.argv.index("--prefix") + 1])))
