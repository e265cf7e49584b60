"""What a field engineer has on a booted machine: an environment of the system's own Python with EdgeKit in it, bundles,
the command; and somebody there who asks the service.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import edgekit
from edgekit.deploy.site.environment import Environment
from tests.nspawn.machine import Machine

PYTHONS = {"bookworm": (3, 11), "trixie": (3, 13)}
"""The Python of each of Debian's releases. Debian 11 has 3.9, which is older than EdgeKit runs on."""
COMMAND_S = 900.0
ROOT = Path(edgekit.__file__).parents[1]
_ASK = """
import sys, urllib.error, urllib.request
body = open(sys.argv[2], "rb").read() if sys.argv[2:] else None
asked = urllib.request.Request("http://127.0.0.1:8080" + sys.argv[1], body, {"Content-Type": "application/json"})
try:
    answer = urllib.request.urlopen(asked, timeout=200)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status)
sys.stdout.write(answer.read().decode())
"""


def installed_code(folder: Path) -> Environment:
    """This environment's code, with EdgeKit in ``folder`` as its users install it, and not as a link to its source."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--target", str(folder), str(ROOT)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return Environment(path=[str(folder), *sys.path])


def carried_wheels(folder: Path, python: tuple[int, int]) -> Path:
    """What `make wheels` writes for another Python than this process's."""
    release = f"cp{python[0]}{python[1]}-{platform.machine()}"
    command = ["bash", ".ci/wheels", release, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def ask(machine: Machine, path: str, document: dict[str, Any] | None = None) -> tuple[int, str]:
    """Ask the service from within its machine; the status and the body."""
    machine.write("/root/ask.py", _ASK)
    command = ["python3", "/root/ask.py", path]
    if document is not None:
        machine.write("/root/asked.json", json.dumps(document))
        command.append("/root/asked.json")
    status, _, body = machine.run(*command).stdout.partition("\n")
    return int(status), body


@dataclass
class Engineer:
    """Somebody with EdgeKit in /root/ek of a machine, which may be another one after it was started anew; ``becoming``
    is the command that makes root's commands somebody else's, () for root."""

    machine: Machine
    becoming: tuple[str, ...] = ()

    def settle(self, code: Environment) -> None:
        """Make the environment, with pip in it: that is what the package for Python's environments brings."""
        self.machine.run("python3", "-m", "venv", "--without-pip", "/root/ek")
        (site,) = self.machine.at("/root/ek/lib").glob("python3*/site-packages")
        site.rmdir()
        code.write(site)
        pip = Path(str(distribution("pip").locate_file("")))
        for folder in (pip / "pip", *pip.glob("pip-*.dist-info")):
            shutil.copytree(folder, site / folder.name, ignore=shutil.ignore_patterns("__pycache__"))

    def settle_from(self, wheels: Path) -> None:
        """Make the environment from wheels, with the pip among them: what a device has without a network."""
        carried = self.bring(wheels, "wheels")
        (pip,) = wheels.glob("pip-*.whl")
        self.machine.run("python3", "-m", "venv", "--without-pip", "/root/ek")
        install = ("install", "--quiet", "--no-index", "--find-links", carried, "--require-hashes")
        command = ("/root/ek/bin/python", f"{carried}/{pip.name}/pip", *install, "-r", f"{carried}/requirements.txt")
        self.machine.run(*command, seconds=COMMAND_S)

    def bring(self, folder: Path, name: str) -> str:
        """Copy a folder to the machine, and return where it lies there."""
        shutil.copytree(folder, self.machine.at(f"/root/{name}"))
        return f"/root/{name}"

    def run(self, *arguments: str, code: int | None = 0, seconds: float = COMMAND_S) -> str:
        """Run ``edgekit``, which has to end with an exit code (None: with any), and return what it said."""
        command = (*self.becoming, "/root/ek/bin/python", "-m", "edgekit", *arguments)
        done = self.machine.run(*command, check=False, seconds=seconds)
        said = f"edgekit {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        assert code is None or done.returncode == code, f"{said[-4000:]}\n{self.machine.journal()}"
        return done.stdout if code == 0 else done.stderr

    def told(self, *arguments: str, code: int | None = 0) -> dict[str, Any]:
        """Run ``edgekit`` with --json, and return its document."""
        command = (*self.becoming, "/root/ek/bin/python", "-m", "edgekit", *arguments, "--json")
        done = self.machine.run(*command, check=False, seconds=COMMAND_S)
        assert code is None or done.returncode == code, f"{done.stdout}{done.stderr[-4000:]}\n{self.machine.journal()}"
        return dict(json.loads(done.stdout))

    def ask(self, path: str, document: dict[str, Any] | None = None) -> tuple[int, str]:
        """Ask the service; the status and the body."""
        return ask(self.machine, path, document)

    def doctor(self, uid: int = 1000) -> Engineer:
        """Return somebody without root on the same machine, with a systemd of his own, whether he is signed in or not.

        What signs people in is not in the tree, so that systemd is told here where his folder of this boot lies."""
        name, home = "doctor", "/home/doctor"
        self.machine.write("/etc/sysusers.d/doctor.conf", f"u {name} {uid} - {home} /bin/bash\n")
        self.machine.write(
            "/etc/systemd/system/user@.service.d/test.conf", "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n"
        )
        self.machine.run("systemd-sysusers", "doctor.conf")
        self.machine.run("install", "-d", f"--owner={name}", f"--group={name}", home)
        self.machine.run("chmod", "0755", "/root")
        self.machine.run("install", "-d", "--mode=0750", "/etc/edgekit")  # the machine's own service's
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("loginctl", "enable-linger", name)
        runtime = f"/run/user/{uid}"
        self.machine.wait("his systemd runs", self.machine.at(f"{runtime}/systemd/private").exists)
        variables = (
            f"HOME={home}",
            f"USER={name}",
            f"XDG_RUNTIME_DIR={runtime}",
            "PATH=/usr/bin:/bin",
            "LC_ALL=C.UTF-8",
        )
        user = (f"--reuid={uid}", f"--regid={uid}", "--clear-groups")
        return Engineer(self.machine, ("setpriv", *user, "env", "-i", "-C", home, *variables))

    def reboot(self) -> None:
        """Have the machine started anew, without it being told before."""
        self.machine = self.machine.reboot()
