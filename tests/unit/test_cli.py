from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from edgekit import __version__
from edgekit.cli import main as cli
from edgekit.cli.commands import COMMANDS
from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.errors import EdgeKitError, GateRefused, MissingExtra

ROOT = Path(cli.__file__).parents[2]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | type[BaseException] | None], None]:
    """Put a command in the place of `targets` that shows a word, then raises what it is given."""

    def install(error: BaseException | type[BaseException] | None) -> None:
        @click.command("targets")
        @common
        def stand_in(console: Console) -> None:
            console.print("shown")
            console.document({"shown": True})
            if error is not None:
                raise error

        module = types.ModuleType("edgekit.cli.targets")
        module.command = stand_in  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "edgekit.cli.targets", module)

    return install


def test_help_lists_the_commands_that_there_are(capsys: Capture) -> None:
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert ((Path(cli.__file__).parent / f"{name}.py").exists()) == (f"  {name} " in out)


@pytest.mark.parametrize("name", [n for n in COMMANDS if (Path(cli.__file__).parent / f"{n}.py").exists()])
def test_every_command_has_help_and_the_shared_flags(name: str, capsys: Capture) -> None:
    assert cli.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert all(flag in out for flag in ("--json", "--verbose", "--debug"))


def test_version(capsys: Capture) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"edgekit {__version__}\n"


@pytest.mark.parametrize("arguments", [["tagrets"], ["targets", "--jsno"], ["targets", "cpu", "--detect"], ["--what"]])
def test_wrong_usage_exits_with_2_and_says_how_it_is_right(arguments: list[str], capsys: Capture) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Usage: edgekit" in captured.err
    if arguments == ["tagrets"]:
        assert "Did you mean 'targets'?" in captured.err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (EdgeKitError("it broke", "mend it"), 1, "Error: it broke\nmend it\n"),
        (MissingExtra("Reading DICOM", "dicom"), 1, "Error: Reading DICOM needs the extra 'dicom'\nRun: pip install"),
        (GateRefused("over budget", "choose q4"), 3, "Error: over budget\nchoose q4\n"),
        (KeyboardInterrupt, 130, "Interrupted.\n"),
        (OSError(28, "No space left on device", "/x"), 1, "Error: /x: No space left on device\n"),
        (ValueError("two\nlines"), 1, "Error: internal error: ValueError: two\nRun the command again with --debug"),
    ],
)
def test_an_error_is_a_message_and_an_exit_code(
    command: Callable[[BaseException | type[BaseException]], None],
    error: BaseException | type[BaseException],
    code: int,
    text: str,
    capsys: Capture,
) -> None:
    command(error)
    assert cli.main(["targets"]) == code
    captured = capsys.readouterr()
    assert captured.out == "shown\n"
    assert captured.err.startswith(text)
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("arguments", [["--debug", "targets"], ["targets", "--debug"]])
@pytest.mark.parametrize("error", [ValueError("odd"), EdgeKitError("it broke")])
def test_debug_shows_the_traceback(
    command: Callable[[Exception], None], arguments: list[str], error: Exception, capsys: Capture
) -> None:
    command(error)
    assert cli.main(arguments) == 1
    assert "Traceback" in capsys.readouterr().err


def test_json_is_one_document_on_stdout(command: Callable[[None], None], capsys: Capture) -> None:
    command(None)
    assert cli.main(["targets", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"shown": True}


def run(arguments: str, **options: object) -> subprocess.Popen[str]:
    line = f'exec "{sys.executable}" -m edgekit {arguments}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    pipe = subprocess.PIPE
    return subprocess.Popen(["bash", "-c", line], stdout=pipe, stderr=pipe, text=True, env=environment)


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    process = run("targets --json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_a_full_disk_behind_stdout_is_one_error() -> None:
    process = run("targets --json > /dev/full")
    _, err = process.communicate()
    assert err.startswith("Error: No space left on device\n")
    assert process.returncode == 1


def test_ctrl_c_in_a_real_process() -> None:
    script = (
        "import sys, time, types, click; from edgekit.cli import main\n"
        "@click.command('targets')\n"
        "def command(): print('ready', flush=True); time.sleep(60)\n"
        "sys.modules['edgekit.cli.targets'] = types.SimpleNamespace(command=command)\n"
        "sys.exit(main.main(['targets']))"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert err == "Interrupted.\n"
    assert process.returncode == 130
