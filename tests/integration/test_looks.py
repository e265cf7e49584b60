"""How often a command looks at what this computer is: its driver may take seconds to answer, or never do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgekit import machine
from edgekit.bundle import open_bundle
from edgekit.machine import detect
from edgekit.machine.detect import Machine, Sighting
from edgekit.phantom.embedded import embedded
from edgekit.profile import profile
from tests.checkpoints import write_checkpoint
from tests.commands import run
from tests.embedded_bundles import EmbeddedBundles
from tests.simulated_tensorrt.machine import CARD, simulate

LOOK = machine.look


@contextmanager
def looks(seen: Machine | None = None, *, lasts: bool) -> Iterator[list[Machine]]:
    """Gather what every real look finds, from nothing kept on. ``seen`` is found instead of this machine; where it does
    not last, whoever asks twice looks twice."""
    sighting, found = detect.sighting, list[Machine]()

    def counted(*arguments: object, **named: object) -> Sighting:
        found.append(seen or sighting(gpus=()).machine)
        return Sighting(found[-1], lasts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "_kept", None)
        patch.setattr(machine, "look", LOOK)
        patch.setattr(detect, "sighting", counted)
        yield found


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(embedded_as.copy("q8", tmp_path_factory.mktemp("looks") / "bundle").path)


def test_what_the_processor_does_looks_for_no_gpu(bundle: str, tmp_path: Path) -> None:
    model = str(embedded())
    with looks(lasts=False) as found:
        run("targets")
        run("inspect", model)
        run("plan")
        run("plan", "--all")
        run("plan", bundle)
        run("build", "--target", "cpu", "--recipe", "q8", "--out", str(tmp_path / "bundle"))
        run("compile", bundle)
        run("inspect", bundle, "--verify")
        run("ask", bundle, "What do you see?", "--max-tokens", "2")
        run("evaluate", bundle, "--questions", "2")
    assert not found


@pytest.mark.parametrize("arguments", [("targets", "--detect"), ("doctor",), ("check",)])
def test_what_says_which_machine_it_was_looks_once(bundle: str, arguments: tuple[str, ...]) -> None:
    command, *options = arguments
    sources = (bundle,) if command == "check" else ()
    with looks(lasts=False) as found:
        run(command, *sources, *options, codes=(0, 1))
    assert len(found) == 1


def test_a_measurement_looks_once(bundle: str) -> None:
    with looks(lasts=False) as found:
        measured = profile(open_bundle(Path(bundle)), slots=1, seconds=0.1)
    assert len(found) == 1
    assert measured.device.cpu == found[0].cpu


def test_on_a_gpu_s_machine_a_command_looks_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_checkpoint(tmp_path / "checkpoint")
    simulate(tmp_path, monkeypatch, CARD)
    here, path = machine.look(), str(tmp_path / "bundle")
    for arguments in (
        ("build", str(tmp_path / "checkpoint"), "--target", "rtx3050", "--out", path),
        ("compile", path),
        ("check", path),
        ("inspect", path, "--verify"),
        ("ask", path, "What do you see?", "--max-tokens", "2"),
        ("report", "engines", path),
    ):
        with looks(here, lasts=True) as found:
            run(*arguments)
        assert len(found) == 1, arguments
