"""Wheels of a release that passes every gate and fails as a service: what stands in for EdgeKit in it.

It fails as it is made to: "starting" (ends before it is ready), "ready" (ends soon after), "never" (gets ready), or not
at all ("well"). Each time, it writes beside the service's data when that was, by the machine's monotonic clock.
"""

from __future__ import annotations

from pathlib import Path

from tests.installed import write_wheel

TIMES = "/var/lib/edgekit/failed"
_EXAMINED = 'import json\n\nprint(json.dumps(["done", {}]), flush=True)\n'
_SERVICE = """
import os, signal, socket, sys, time

manner, stopped = {manner!r}, []


def fail(*_):
    with open(os.path.join(os.environ["STATE_DIRECTORY"], "failed"), "a") as times:
        print(time.monotonic(), file=times)
    os._exit(1)


def notify(text):
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        connection.connect(chr(0) + address[1:] if address[0] == "@" else address)
        connection.send(text.encode())


signal.signal(signal.SIGTERM, fail if manner == "never" else lambda *_: stopped.append(True))
if manner == "starting":
    fail()
while manner == "never":
    time.sleep(1)
notify("READY=1")
if manner == "ready":
    time.sleep(0.3)
    fail()
while not stopped:
    notify("WATCHDOG=1")
    time.sleep(0.1)
"""


def write_failing(folder: Path, manner: str) -> Path:
    """Write a folder of wheels, as ``edgekit install --wheels`` takes it, and return it."""
    files = {
        "edgekit/__init__.py": b"",
        "edgekit/__main__.py": _SERVICE.format(manner=manner).encode(),
        "edgekit/deploy/__init__.py": b"",
        "edgekit/deploy/examined.py": _EXAMINED.encode(),
    }
    write_wheel(folder, "edgekit", "0", files)
    return folder
