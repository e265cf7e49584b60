"""A plan with what would fit: nothing where it fits, else the advice's options and the refusal that names them."""

from __future__ import annotations

from dataclasses import replace

from edgekit.plan import advice, plan
from edgekit.plan.advised import advised_plan
from edgekit.recipe import recipe
from edgekit.target import target
from edgekit.units import GIB
from tests.unit.plan.models import LLAVA_MED

CARD = target("rtx3050")


def test_what_fits_hears_no_advice() -> None:
    advised = advised_plan(LLAVA_MED, CARD, recipe("q4"))
    assert advised.plan == plan(LLAVA_MED, CARD, recipe("q4"))
    assert (advised.options, advised.refusal) == ((), None)
    assert advised.document() == {**advised.plan.document(), "would_fit": []}


def test_what_does_not_fit_is_refused_with_what_would() -> None:
    advised = advised_plan(LLAVA_MED, CARD, recipe("fp16"))
    assert list(advised.options) == advice(LLAVA_MED, CARD, recipe("fp16"))
    assert advised.refusal
    assert "too much" in advised.refusal.message
    for option in advised.options:
        assert option.text in advised.refusal.hint
    document = advised.document()
    assert [option["free_bytes"] for option in document["would_fit"]] == [o.free_bytes for o in advised.options]
    assert document["fits"] is False


def test_where_nothing_would_fit_it_is_refused_all_the_same() -> None:
    advised = advised_plan(LLAVA_MED, replace(CARD, memory_bytes=GIB), recipe("q8"))
    assert advised.options == ()
    assert advised.refusal
    assert "smaller model" in advised.refusal.hint
