"""What other programs say, cut to size: the reason stands at the end, and must not be what is cut."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.checkpoint.tokenizer import tokenizer_errors
from edgekit.child import Crash, listen
from edgekit.doctor.diagnosis import said
from edgekit.engines.tensorrt.log import Log
from edgekit.engines.tensorrt.opened import because
from edgekit.errors import CheckpointError, gist
from edgekit.onnx_session import first_line

REASON = "For per axis quantization, x_zero_point must be null or 1D tensor with size 64"
LONG = f"vision.layers.0.mlp.up failed in /{'a/path/of/sources/' * 30}quantize_linear.cc:120 {REASON}"


@given(st.text(st.characters(categories=["L", "N"]), max_size=400), st.integers(10, 350))
def test_a_gist_is_no_longer_than_asked_for_and_has_both_ends(text: str, limit: int) -> None:
    short = gist(text, limit)
    if len(text) <= limit:
        assert short == text
        return
    start, end = short.split(" … ")
    assert len(short) == limit
    assert text.startswith(start)
    assert text.endswith(end)
    assert len(end) >= 2 * len(start)


def of_a_child(words: str) -> str:
    with pytest.raises(Crash) as caught:
        listen([sys.executable, "-c", f"import sys; sys.exit({words!r})"], "Compiling")
    return caught.value.message


def of_the_tokenizers(words: str) -> str:
    with pytest.raises(CheckpointError) as caught, tokenizer_errors("CHECKPOINT"):
        raise RuntimeError(words)
    return caught.value.message


SOURCES: dict[str, Callable[[str], str]] = {
    "ONNX Runtime": lambda words: first_line(RuntimeError(f"[ONNXRuntimeError] : 1 : FAIL : {words}")),
    "TensorRT": lambda words: because(Log(errors=deque([words]))),
    "a program that the doctor asks": said,
    "a child": of_a_child,
    "the tokenizers": of_the_tokenizers,
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_reason_is_not_what_is_cut(source: str) -> None:
    shown = SOURCES[source](LONG)
    assert REASON in shown
    assert "vision.layers.0.mlp.up" in shown
    assert len(shown) < 400
