"""What a host asks of its programs."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.machine.host import Host
from edgekit.machine.programs import Reply


def test_a_program_is_asked_each_question_once_and_not_again_after_it_hung() -> None:
    asked: list[tuple[str, ...]] = []

    def runner(command: tuple[str, ...], seconds: float, variables: Mapping[str, str]) -> Reply:
        asked.append(command)
        return Reply(None, why="gave no answer within 10 s") if "-q" in command else Reply(0, "fine")

    host = Host(runner=runner)
    assert [host.run("a", "1").out for _ in range(3)] == ["fine"] * 3
    assert host.run("a", "-q").code is None
    assert host.run("a", "2").code is None
    assert host.run("b", "2").code == 0
    assert asked == [("a", "1"), ("a", "-q"), ("b", "2")]


def test_of_an_interpreters_programs_each_is_one_of_its_own() -> None:
    """One that waits for a stuck driver says nothing of the others."""
    host = Host(runner=lambda command, seconds, variables: Reply(None, why="no answer") if "1" in command else Reply(0))
    assert host.run("python", "-c", "1").code is None
    assert host.run("python", "-c", "2").code == 0
