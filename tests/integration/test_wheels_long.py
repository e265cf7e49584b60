"""The wheels of `make wheels` for an arm64 device, installed there as the installer does it, and what answers with
them: on an emulated processor, since this machine is none.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.evaluate.phantoms import questions
from edgekit.phantom import draw
from tests.embedded_bundles import EmbeddedBundles
from tests.processors import CORTEX_A76, Python, bare_python_on

pytestmark = [pytest.mark.long, pytest.mark.timeout(7200)]

ROOT = Path(__file__).parents[2]
INSTALL = """
import sys
from pathlib import Path
from edgekit.deploy.site.wheels import Wheels
sys.executable = sys.argv[1]  # this machine's kernel starts no program of that processor
Wheels(Path(sys.argv[2])).write(Path(sys.argv[3]))
"""
IMPORT = "import argon2, llguidance, msgspec, onnxruntime, pydicom, sqlcipher3.dbapi2, starlette, tokenizers, uvicorn"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("device")


@pytest.fixture(scope="module")
def wheels(folder: Path) -> Path:
    """The folder that travels."""
    path = folder / "wheels"
    command = ["bash", ".ci/wheels", "cp311-aarch64", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"EXTRAS": "serve,dicom"})
    assert done.returncode == 0, done.stderr[-2000:]
    return path


@pytest.fixture(scope="module")
def device(folder: Path, wheels: Path) -> Python:
    """Its Python, which imports what was installed from the wheels, and nothing of this repository."""
    bare = bare_python_on(CORTEX_A76, folder)
    program, site = folder / "python3", folder / "site"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(bare.command)} "$@"\n')
    program.chmod(0o755)
    (packaging,) = wheels.glob("packaging-*.whl")  # what installs needs it, and a wheel without compiled code imports
    installer = Python((str(program),), (packaging,))
    installer.run("-c", INSTALL, str(program), str(wheels), str(site), timeout=3600)
    shutil.rmtree(wheels)
    return Python((str(program), "-s", "-P"), (site,))


def test_all_that_is_compiled_is_there_for_that_processor(device: Python) -> None:
    device.run("-c", IMPORT, timeout=600)


def test_it_answers_as_this_machine_does(device: Python, embedded_as: EmbeddedBundles, folder: Path) -> None:
    bundle: Bundle = embedded_as("q4")
    asked = next(asked for asked in questions(24) if asked.question.form == "closed")
    draw(asked.scene).save(folder / "phantom.png")
    ask = ("-m", "edgekit", "ask", str(bundle.path), asked.question.text, "--image", str(folder / "phantom.png"))
    answer = device.run(*ask, timeout=1200)
    assert answer.strip()
    assert answer == Python((sys.executable,), ()).run(*ask, timeout=600)
