"""What the table of engines says of each kind holds together."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import ConfigError
from edgekit.target.kinds import KINDS, PROCESSOR, kind_of


@given(
    name=st.sampled_from(sorted(KINDS)),
    width=st.integers(1, 4096),
    alignment=st.sampled_from([1, 64, 256, 4096]),
    steps=st.integers(1, 9),
)
def test_a_context_of_whole_steps_is_aligned_and_no_smaller_one_is(
    name: str, width: int, alignment: int, steps: int
) -> None:
    kind = replace(KINDS[name], row_alignment=alignment)
    token_bytes = np.dtype(kind.activations).itemsize * width
    step = kind.context_step(width)
    assert steps * step * token_bytes % alignment == 0
    assert all(tokens * token_bytes % alignment for tokens in range(1, min(step, 300)))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_kind_is_found_by_its_name_and_has_its_backend(name: str) -> None:
    kind = kind_of(name)
    assert kind.name == name
    assert find_spec(f"{kind.backend}.backend")
    assert kind.on_gpu == (kind.activations == "float16")
    assert kind.needs_plans == (not kind.provider)


def test_every_machine_can_run_the_processor_s() -> None:
    assert not KINDS[PROCESSOR].on_gpu
    assert not KINDS[PROCESSOR].needs_plans


def test_an_engine_of_a_newer_version_is_one_error() -> None:
    with pytest.raises(ConfigError, match="'warp' is no engine") as error:
        kind_of("warp")
    assert all(name in error.value.hint for name in KINDS)
