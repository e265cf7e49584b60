"""A bundle's score: means of ratios worked by hand, by type and domain, and what is never in them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.evaluate.judge.judged import Judged, Tokens, score, tokens, with_judged
from edgekit.evaluate.judge.judgement import Judgement
from edgekit.evaluate.judge.prompt import ORDERS, Order
from edgekit.evaluate.judge.verdict import Unscored
from edgekit.vqa.dataset import LeftOut
from edgekit.vqa.item import Item

TYPES = ("conversation", "conversation", "detailed_description", "conversation", "")
DOMAINS = ("mri", "gross", "mri", "mri", "")
ITEMS = tuple(
    Item(
        id=number, question="?", images=(f"{number // 2}.png",), answer="a", closed=False, question_type=kind,
        modality=domain,
    )
    for number, (kind, domain) in enumerate(zip(TYPES, DOMAINS, strict=True))
)  # fmt: skip
JUDGED = Judged(
    url="u",
    model="m",
    swap=False,
    items=ITEMS,
    scores={0: 50.0, 1: 100.0, 2: 120.0, 4: 30.0},
    refused=(LeftOut(3, "no"),),
    unparseable=(),
    unjudged=(),
    tokens=Tokens(1, 2, 3),
)


def judgement(
    reply: str | None, order: Order = "reference-first", digest: str = "d", cost: int | None = 5
) -> Judgement:
    return Judgement(
        digest=digest, question_id=1, order=order, url="u", model="m", reply=reply, refusal=None, finish="stop",
        prompt_tokens=cost, completion_tokens=cost,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("replies", "percent"),
    [
        (("8 6",), 75),
        (("6 8",), 400 / 3),
        (("8 6", "6 8"), 75),  # both say 8 for the reference, 6 for ours
        (("8 6", "9 7"), 100 * (6 + 9) / (8 + 7)),  # mean of each side first
        (("10 1", "10 1"), 100),  # whoever is first gets 10: swapped, that evens out
    ],
)
def test_a_score_is_ours_by_the_reference_s(replies: tuple[str, ...], percent: float) -> None:
    assert score([judgement(reply, order) for reply, order in zip(replies, ORDERS, strict=False)]) == pytest.approx(
        percent
    )


@given(st.integers(1, 10), st.integers(1, 10))
def test_swapping_names_the_same_side_and_an_even_judge_says_100(reference: int, ours: int) -> None:
    there, back = judgement(f"{reference} {ours}"), judgement(f"{ours} {reference}", "ours-first")
    assert score([there]) == score([back]) == score([there, back])
    assert score([judgement(f"{ours} {ours}")]) == 100
    percent = score([there])
    assert isinstance(percent, float)
    assert 10 <= percent <= 1000


def test_one_reply_without_scores_leaves_a_question_without_one() -> None:
    unscored = score([judgement("8 6"), judgement("I'm sorry.", "ours-first")])
    assert isinstance(unscored, Unscored)
    assert unscored.kind == "refused"


def test_buckets_are_means_of_ratios_by_type_and_domain() -> None:
    assert JUDGED.overall is not None
    assert (JUDGED.overall.percent, JUDGED.overall.count) == (75, 4)
    assert {name: (each.percent, each.count) for name, each in JUDGED.types.items()} == {
        "conversation": (75, 2), "detailed_description": (120, 1),
    }  # fmt: skip
    assert {name: (each.percent, each.count) for name, each in JUDGED.domains.items()} == {
        "mri": (85, 2), "gross": (100, 1),
    }  # fmt: skip


def test_intervals_hold_pictures_together() -> None:
    assert JUDGED.overall is not None
    bounds = JUDGED.overall.interval
    assert bounds is not None
    assert bounds[0] < 75 < bounds[1]
    one_picture = replace(JUDGED, items=tuple(replace(item, images=("a.png",)) for item in ITEMS))
    assert one_picture.overall is not None
    assert one_picture.overall.interval is None


def test_where_nothing_is_scored_there_is_no_figure() -> None:
    none = replace(JUDGED, scores={})
    assert (none.overall, none.types, none.domains) == (None, {}, {})
    assert none.document()["overall"] is None


def test_its_document() -> None:
    document = JUDGED.document()
    assert list(document) == [
        *("model", "url", "swap", "overall", "types", "domains"),
        *("refused", "unparseable", "unjudged", "tokens"),
    ]
    assert document["refused"] == [{"id": 3, "reason": "no"}]
    assert document["tokens"] == {"prompt": 1, "completion": 2, "untold": 3}
    assert document["types"]["detailed_description"] == {"percent": 120, "interval": None, "count": 1}


def test_what_judgements_cost_is_counted_once() -> None:
    lines = [judgement("8 6"), judgement("8 6"), judgement("No", digest="e"), judgement("8 6", digest="f", cost=None)]
    assert tokens(lines) == Tokens(10, 10, 1)
    assert tokens([]) == Tokens(0, 0, 0)


def test_it_stands_in_the_document_of_its_bundle() -> None:
    other = replace(JUDGED, model="n")
    one, two = {"name": "a", "rows": []}, {"name": "b", "rows": []}
    assert with_judged(one, {"a": JUDGED}) == {**one, "judge": JUDGED.document()}
    both = with_judged({"bundles": [one, two], "comparisons": []}, {"a": JUDGED, "b": other})
    assert [each["judge"]["model"] for each in both["bundles"]] == ["m", "n"]
    assert both["comparisons"] == []
    assert "judge" not in one
