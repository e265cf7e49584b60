"""Files that ship, by name; a site's own by path."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.config.shipped import load_shipped, require_name, shipped, shipped_folder
from edgekit.errors import ConfigError
from edgekit.target import Target


def test_shipped_files_are_listed_by_name() -> None:
    assert list(shipped("targets")) == sorted(shipped("targets"))
    assert {"cpu", "orin", "rtx3050", "rtx3080"} <= shipped("targets").keys()
    assert {"fp16", "q8", "q4"} <= shipped("recipes").keys()
    assert (shipped_folder("containers") / "bases.toml").is_file()


def test_a_name_and_the_path_of_its_file_are_the_same() -> None:
    assert load_shipped("targets", "orin", Target) == load_shipped("targets", str(shipped("targets")["orin"]), Target)


def test_a_name_that_is_not_there_says_what_is_like_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no target called 'orim'") as error:
        load_shipped("targets", "orim", Target)
    assert "orin" in error.value.hint
    assert "ending in .toml" in error.value.hint
    with pytest.raises(ConfigError, match=r"ward7\.toml"):
        load_shipped("targets", str(tmp_path / "ward7.toml"), Target)


@pytest.mark.parametrize("name", ["q4", "ward-7.b_c", "0"])
def test_names_that_files_can_go_by(name: str) -> None:
    require_name(name)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "ä", "x" * 65, "-x", "q4\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a file"):
        require_name(name)
