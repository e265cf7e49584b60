"""Where the program begins: whose process is started anew, and when."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import edgekit

ROOT = Path(edgekit.__file__).parents[1]
# A stand-in for NVML that knows so many GPUs and can't describe them.
_NVML = """
class NVMLError(Exception):
    pass
def nvmlInit():
    pass
nvmlShutdown = nvmlInit
def nvmlDeviceGetCount():
    return {count}
"""
_COMMAND = [sys.executable, "-m", "edgekit"]
_CHECK = ["check", "no such"]
_EMBEDDING = "import sys; from edgekit.cli.main import main; print('top'); sys.argv[1:] = {words!r}; sys.exit(main())"


def begins(folder: Path, command: list[str], gpus: int = 2, visible: str = "0", stdin: str = "") -> tuple[str, str]:
    """Run a command on a machine with so many GPUs; how CUDA counts at each start of its process, and its stdout."""
    (folder / "sitecustomize.py").write_text(
        "import os\nwith open(os.environ['STARTS'], 'a') as file:\n"
        "    print(os.environ.get('CUDA_DEVICE_ORDER'), file=file)\n"
    )
    (folder / "pynvml.py").write_text(_NVML.format(count=gpus))
    variables = {name: value for name, value in os.environ.items() if name != "CUDA_DEVICE_ORDER"}
    variables |= {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "CUDA_VISIBLE_DEVICES": visible}
    variables |= {"STARTS": str(folder / "starts")}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, cwd=folder, input=stdin, timeout=60)
    assert "Traceback" not in done.stderr
    assert ("no such" in done.stderr) == ("no such" in [*command, *stdin.split("'")])
    return " ".join((folder / "starts").read_text().split()), done.stdout


def test_a_command_on_a_gpu_counts_them_as_nvidia_smi_does(tmp_path: Path) -> None:
    """CUDA reads that from the environment of its process: the command starts anew, with the same words."""
    assert begins(tmp_path, [*_COMMAND, *_CHECK]) == ("None PCI_BUS_ID", "")


def test_an_option_may_stand_before_the_command(tmp_path: Path) -> None:
    assert begins(tmp_path, [*_COMMAND, "--verbose", *_CHECK])[0] == "None PCI_BUS_ID"


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["--version"], ["targets"], []])
def test_what_computes_on_no_gpu_begins_once(words: list[str], tmp_path: Path) -> None:
    assert begins(tmp_path, [*_COMMAND, *words])[0] == "None"


@pytest.mark.parametrize(("gpus", "visible"), [(1, "0"), (0, "0"), (2, "GPU-0"), (2, "-1"), (2, "")])
def test_where_numbers_are_no_question_it_begins_once(gpus: int, visible: str, tmp_path: Path) -> None:
    assert begins(tmp_path, [*_COMMAND, *_CHECK], gpus, visible)[0] == "None"


def test_a_program_that_runs_a_command_is_not_run_again(tmp_path: Path) -> None:
    """From a file it would do its work twice; from stdin, which has been read, nothing at all."""
    program = _EMBEDDING.format(words=_CHECK)
    assert begins(tmp_path, [sys.executable, "-"], stdin=program) == ("None", "top\n")
