"""The house stays as it is cut. Each limit stands beside its goal: lower it as soon as less is reached."""

from __future__ import annotations

import ast

import pytest

from tests import house


def test_few_modules_lie_directly_in_the_package() -> None:
    assert len(house.top_level()) <= 12  # goal: 12, reached


def test_a_function_fits_on_a_screen() -> None:
    longest = 67  # goal: 50
    assert not {name: lines for name, lines in house.function_lengths().items() if lines > longest}


def test_a_file_holds_one_idea() -> None:
    longest = 260  # goal: 260, reached
    assert not {name: lines for name, lines in house.file_lengths().items() if lines > longest}


def test_nothing_imports_itself_or_upward() -> None:
    assert not house.cycles()
    assert not house.upward()


def test_an_engine_is_asked_for_by_name_in_the_table_alone() -> None:
    places = house.by_name()
    assert not places, "\n".join(map(str, places))


def test_an_engine_is_asked_for_by_class_in_its_package_alone() -> None:
    places = house.by_class()
    assert not places, "\n".join(map(str, places))


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("target.engine == other.engine", True),
        ("'tensorrt' != name", True),
        ("name in ('onnxruntime', 'onnxruntime-cuda')", True),
        ("match name:\n case 'tensorrt' | 'more': pass", True),
        ("name.startswith('tensorrt-')", True),
        ("model.engine is None", False),
        ("name == 'decoder'", False),
        ("coefficients('tensorrt')", False),
    ],
)
def test_a_comparison_with_an_engine_is_seen(source: str, is_one: bool) -> None:
    assert any(house.names_an_engine(node) for node in ast.walk(ast.parse(source))) == is_one
