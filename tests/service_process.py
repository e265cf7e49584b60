"""The service as a user starts it: ``edgekit serve`` in a process of its own, found by what it announces."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgekit.phantom.embedded import embedded
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target

START_S = 120.0
STOP_S = 60.0


@dataclass(frozen=True)
class ServiceProcess:
    """A service that runs: what it said of itself, its process, and the file of its log."""

    announcement: dict[str, Any]
    process: subprocess.Popen[str]
    log: Path

    @property
    def url(self) -> str:
        """Its address, without the slash at the end."""
        return str(self.announcement["url"]).rstrip("/")

    @property
    def port(self) -> int:
        """Its port on this machine."""
        return int(self.url.rpartition(":")[2])


@contextmanager
def serving(
    cache: Path, *arguments: str | Path, settings: str = "", tokens: tuple[str, ...] = ()
) -> Iterator[ServiceProcess]:
    """Serve until the block's end, then stop it as systemd does, which has to end well.

    ``cache`` keeps the embedded model's bundle for the next one; ``settings`` is the site's ``serve.toml``, ``tokens``
    are the secrets that are let in.
    """
    with tempfile.TemporaryDirectory() as site, (Path(site) / "log").open("w") as log:
        (Path(site) / "serve.toml").write_text(settings, encoding="utf-8")
        if tokens:
            _let_in(Path(site) / "tokens.toml", tokens)
        environment = os.environ | {"XDG_CACHE_HOME": str(cache), "EDGEKIT_SITE": site, "PYTHONUNBUFFERED": "1"}
        environment["EDGEKIT_STATE"] = str(Path(site) / "state")
        command = [sys.executable, "-m", "edgekit", "serve", *map(str, arguments), "--port", "0", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process:
            try:
                yield ServiceProcess(_announcement(process), process, Path(log.name))
                process.send_signal(signal.SIGTERM)
                code = process.wait(STOP_S)
            except BaseException:
                process.kill()
                print(Path(log.name).read_text(encoding="utf-8"))  # pytest shows it where the test fails
                raise
            assert code == 0, f"the service ended with {code}"


def _announcement(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The first document that the service prints."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if line.startswith("}"):
            document: dict[str, Any] = json.loads(text)
            return document
    raise AssertionError("the service ended before it could be asked")


def _let_in(file: Path, secrets: tuple[str, ...]) -> None:
    lines = ["format = 1"]
    for number, secret in enumerate(secrets):
        digest = hashlib.sha256(secret.encode()).hexdigest()
        lines += [f'[tokens."caller-{number}"]', f'sha256 = "{digest}"', "batch = false", 'created = "2026-11-30"']
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    file.chmod(0o600)


def small_bundle(folder: Path, context: int = 256) -> Path:
    """Build the embedded model for a short context, in which answers end soon whatever they say."""
    return build(embedded(), replace(target("cpu"), context=context), recipe("q4"), folder).bundle.path
