"""What a component may be off by, on processors that compute in float32 and on those that add in float16."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from edgekit import onnx_session
from edgekit.check.components import ComponentFigures
from edgekit.check.limits import component_limits
from edgekit.onnx_session import multiplies_float16
from edgekit.recipe import recipe

AT_BUILD = 0.0006


def error_limit(name: Any, recipe_name: str, *, in_float16: bool, at_build: float = AT_BUILD) -> float:
    golden: Any = SimpleNamespace(errors={name: at_build} if at_build else {})
    bundle: Any = SimpleNamespace(manifest=SimpleNamespace(spec=SimpleNamespace(tokens_per_image=16)))
    figures = ComponentFigures(name=name, error=0.0, loss=0.0)
    limit, *_ = component_limits(figures, golden, bundle, recipe(recipe_name).gate, in_float16=in_float16)
    assert limit.name == "error"
    return limit.limit


@pytest.mark.parametrize("name", ["vision", "projector", "decoder"])
def test_products_in_float16_may_round_more_than_those_in_float32(name: str) -> None:
    assert error_limit(name, "q8", in_float16=False) == pytest.approx(2 * AT_BUILD + 0.005)
    assert error_limit(name, "q8", in_float16=True) == pytest.approx(2 * AT_BUILD + 0.02)


def test_no_limit_is_wider_than_the_recipe_s() -> None:
    for in_float16 in (False, True):
        assert error_limit("decoder", "q8", in_float16=in_float16, at_build=9) == recipe("q8").gate.error
        assert error_limit("decoder", "q8", in_float16=in_float16, at_build=0) == recipe("q8").gate.error


def test_the_embedding_rounds_alike_everywhere() -> None:
    assert error_limit("embedding", "q8", in_float16=True) == error_limit("embedding", "q8", in_float16=False)


@pytest.mark.parametrize(
    ("features", "as_such"), [(("avx2", "f16c"), False), (("avx512_fp16",), False), (("asimd", "asimdhp"), True)]
)
def test_which_processors_multiply_float16(
    monkeypatch: pytest.MonkeyPatch, features: tuple[str, ...], as_such: bool
) -> None:
    monkeypatch.setattr(onnx_session, "cpu_features", lambda: features)
    multiplies_float16.cache_clear()
    assert multiplies_float16() is as_such
    multiplies_float16.cache_clear()
