"""A fidelity report in tables: the matrices that lost most, and the sentences for what a recipe has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgekit.check.cache import CacheLoss
from edgekit.check.fidelity import Fidelity
from edgekit.cli.show.fidelity import LARGEST_FLOAT16, show_fidelity
from edgekit.console import Console
from edgekit.quantize.linears import ComponentWeights, Linear
from edgekit.quantize.tower import TowerInputs
from tests.rendered import rows
from tests.unit.check.case import DECODER, PERFECT

LINEARS = tuple(
    Linear(name=f"decoder.layers.{at}.mlp.up.weight", bits=4, group=128, bytes=66, error=0.01 * at, of="weights")
    for at in range(11)
)
HEAD = Linear(name="decoder.lm_head.weight", bits=16, group=0, bytes=200, error=0.0, of="weights")
REPORT = Fidelity(
    format=1,
    recipe="q4",
    method="awq",
    linears=(*LINEARS, HEAD),
    parts=(ComponentWeights("decoder", 726, 1408), ComponentWeights("lm_head", 200, 100)),
    components=(replace(DECODER.measured, loss=0.07),),
    figures=replace(PERFECT, top1=0.975, kl=0.003, perplexity_ratio=1.01),
)


def test_parts_have_their_bits_and_errors_and_the_decoder_what_its_output_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_fidelity(Console(), REPORT)
    shown = rows(capsys.readouterr().out)
    assert shown[0] == ["Quantized by q4 (awq)"]
    assert shown[2] == ["decoder", "726 B", f"{8 * 726 / 1408:.2f}", "0.05", "0.1", "0.07"]
    assert shown[3] == ["lm_head", "200 B", "16.00", "0", "0"], "the head's share is in the decoder's"


def test_the_eight_that_lost_most_stand_with_the_worst_first(capsys: pytest.CaptureFixture[str]) -> None:
    show_fidelity(Console(), REPORT)
    table = [row for row in rows(capsys.readouterr().out) if row[0].endswith(".weight")]
    assert table[0] == ["decoder.layers.10.mlp.up.weight", "4", "128", "0.1", "weights"]
    assert [row[0] for row in table] == [linear.name for linear in LINEARS[:2:-1]]
    show_fidelity(Console(), replace(REPORT, linears=(HEAD,), parts=REPORT.parts[1:]))
    assert ["decoder.lm_head.weight", "16", "–", "0", "weights"] in rows(capsys.readouterr().out)


def test_answers_are_said_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    show_fidelity(Console(), REPORT)
    out = " ".join(capsys.readouterr().out.split())
    assert "over 20 tokens: first choices 97.5 % the unquantized model's, 100.0 % where it was decided" in out
    assert "KL 0.003 nats; perplexity 1.010 times." in out
    assert "tower" not in out
    assert "int8" not in out


@pytest.mark.parametrize(("is_static", "word"), [(True, "were taken"), (False, "were not taken")])
def test_what_a_tower_read_is_told_by_its_share_of_float16(
    is_static: bool, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tower = TowerInputs({"vision.a": 7.0, "vision.b": LARGEST_FLOAT16 / 4}, cosine=0.99951, static=is_static)
    show_fidelity(Console(), replace(REPORT, tower=tower))
    out = " ".join(capsys.readouterr().out.split())
    assert "25 % of float16's range, read by vision.b." in out
    assert f"cosine of 0.9995 at least, and {word}." in out


def test_what_an_int8_cache_takes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    show_fidelity(Console(), replace(REPORT, cache=CacheLoss(positions=40, kl=0.0002, worst_kl=0.004, same=39)))
    out = " ".join(capsys.readouterr().out.split())
    assert "take 0.0002 nats by themselves (at worst 0.004), and 39 of 40 first choices stay." in out
