"""Options in groups: a command gets records, and shows the options in their order."""

from __future__ import annotations

from dataclasses import dataclass

import click
from click.testing import CliRunner

from edgekit.cli.groups import group


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where."""

    city: str
    floor: int | None


@dataclass(frozen=True)
class Person:
    """Who."""

    name: str


place = group("place", Place, click.option("--city", default="Bern"), click.option("--floor", type=int))
person = group("person", Person, click.option("--name", default="Ada"))


@click.command()
@click.argument("word")
@place
@person
def command(word: str, place: Place, person: Person) -> None:
    """Say what it was given."""
    click.echo(f"{word} {place} {person}")


def test_each_group_is_a_record_of_its_own() -> None:
    said = CliRunner().invoke(command, ["so", "--floor", "3", "--name", "Bo"]).output
    assert said == f"so {Place(city='Bern', floor=3)} {Person('Bo')}\n"


def test_the_help_has_the_options_in_their_order() -> None:
    shown = CliRunner().invoke(command, ["--help"]).output
    assert "Say what it was given." in shown
    assert sorted(("--city", "--floor", "--name"), key=shown.index) == ["--city", "--floor", "--name"]
