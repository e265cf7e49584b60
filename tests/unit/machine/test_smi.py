"""What nvidia-smi prints, of recorded machines and of none."""

from __future__ import annotations

import pytest

from edgekit.machine.gpus import Gpu
from edgekit.machine.programs import MISSING, Reply
from edgekit.machine.smi import Ask, draw, free_memory, listed, status
from edgekit.units import MIB
from tests.unit.machine.recordings import UUID
from tests.unit.machine.recordings import status as printed

ASKED: list[tuple[str, ...]] = []


def replying(reply: Reply | str) -> Ask:
    def ask(*command: str) -> Reply:
        ASKED.append(command)
        return reply if isinstance(reply, Reply) else Reply(0, reply)

    return ask


@pytest.mark.parametrize("new", [False, True])
def test_a_driver_tells_itself_and_the_newest_cuda(new: bool) -> None:
    answer = status(replying(printed("610.57.04", "13.3", new=new)))
    assert (answer.driver, answer.newest_cuda, answer.degrees) == ("610.57.04", "13.3", 41)
    assert answer.tells_throttling
    assert answer.slowed_by == []


def test_what_holds_clocks_back_and_what_has_no_sensor() -> None:
    text = printed("540.4.0", "12.6", reason="SW Thermal Slowdown", degrees="N/A")
    answer = status(replying(text))
    assert answer.slowed_by == ["SW Thermal Slowdown"]
    assert answer.degrees is None
    idle = status(replying(printed("540.4.0", "12.6", reason="Idle")))
    assert idle.slowed_by == []


@pytest.mark.parametrize("reply", ["", Reply(9, "", "failed"), Reply(None, why=MISSING)])
def test_a_driver_that_tells_nothing(reply: Reply | str) -> None:
    answer = status(replying(reply))
    assert (answer.driver, answer.newest_cuda, answer.degrees) == ("", "", None)
    assert not answer.tells_throttling
    assert listed(replying(reply)) == []
    assert draw(replying(reply)) == ("", "")
    missing = isinstance(reply, Reply) and reply.missing
    assert free_memory(replying(reply)) == (None if missing else [])


def test_gpus_and_their_free_memory() -> None:
    rows = f"NVIDIA GeForce RTX 3050, 8.6, 6144, 580.95.05, {UUID}\nOrin (nvgpu), [N/A], [N/A], 540.4.0, [N/A]\nodd\n"
    assert listed(replying(rows)) == [
        Gpu("NVIDIA GeForce RTX 3050", "8.6", 6144 * MIB, "580.95.05", UUID),
        Gpu("Orin (nvgpu)", "", 0, "540.4.0", "[N/A]"),
    ]
    assert free_memory(replying(f"5712, {UUID}\n[N/A], GPU-2\n7\n")) == [
        (UUID, 5712 * MIB),
        ("", 7 * MIB),
    ]


def test_a_card_is_asked_by_its_uuid() -> None:
    assert draw(replying("63.41, 71\n"), UUID) == ("63.41", "71")
    assert ASKED[-1][-1] == f"--id={UUID}"
    draw(replying("63.41, 71\n"))
    assert not ASKED[-1][-1].startswith("--id")
