"""The numbers that plans go by: those that ship, and a site's own in their place."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import pytest

from edgekit.engines.coefficients import Bytes, Factor, coefficients, shipped_coefficients
from edgekit.errors import ConfigError
from edgekit.target.kinds import KINDS

SHIPPED = Path(str(files("edgekit.engines.onnxruntime") / "engines.toml")).read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    return tmp_path / "engines.toml"


@pytest.mark.parametrize("engine", KINDS)
def test_every_kind_of_engine_ships_its_numbers_and_says_where_each_is_from(engine: str, site: Path) -> None:
    table = shipped_coefficients(engine)
    assert coefficients(engine) == table
    assert table.chunk == KINDS[engine].chunk
    numbers = [getattr(table, field.name) for field in fields(table) if field.name not in ("chunk", "whole_scores")]
    assert all(isinstance(number, Bytes | Factor) for number in numbers)
    assert all(number.source.strip() for number in numbers)
    assert all((number.size_bytes if isinstance(number, Bytes) else number.ratio) >= 0 for number in numbers)


def test_a_site_s_numbers_count_for_the_engines_that_it_names(site: Path) -> None:
    own, _, _ = SHIPPED.partition("[onnxruntime-cuda]")
    site.write_text(own.replace('size = "33.7 MiB"', 'size = "1 GiB"', 1))
    shipped = shipped_coefficients("onnxruntime")
    assert coefficients("onnxruntime") == replace(shipped, process=replace(shipped.process, size_bytes=1 << 30))
    assert coefficients("onnxruntime-cuda") == shipped_coefficients("onnxruntime-cuda")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("[onnxruntime.process]", "[onnxruntime.proces]", "proces"), ('basis = "measured"', 'basis = "felt"', "felt")],
)
def test_a_site_s_mistake_is_named_with_its_file(old: str, new: str, said: str, site: Path) -> None:
    site.write_text(SHIPPED.replace(old, new, 1))
    with pytest.raises(ConfigError, match=said) as caught:
        coefficients("tensorrt")
    assert str(site) in caught.value.message
