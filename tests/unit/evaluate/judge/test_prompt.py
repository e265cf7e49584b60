"""What a judge reads: everything that it needs, each answer in its place, and nothing of whose it is."""

from __future__ import annotations

from itertools import product

from edgekit.evaluate.judge.figures import Figure
from edgekit.evaluate.judge.prompt import ORDERS, Request, request
from edgekit.vqa.item import Item
from tests.fake_judge import answers_in

ITEM = Item(id=1, question="What is seen?", images=("a.png",), answer="An effusion.", closed=False)
FIGURE = Figure("A film.", ("It has an effusion.", "It is old."))


def test_it_holds_the_figure_the_question_and_both_answers_in_their_order() -> None:
    asked = request(ITEM, FIGURE, "A mass.", "reference-first")
    parts = ["A film.", "It has an effusion.\nIt is old.", "What is seen?", "An effusion.", "A mass."]
    assert sorted(parts, key=asked.user.index) == parts
    assert answers_in(asked.user) == ("An effusion.", "A mass.")
    assert answers_in(request(ITEM, FIGURE, "A mass.", "ours-first").user) == ("A mass.", "An effusion.")


def test_whose_an_answer_is_shows_by_its_place_alone() -> None:
    for order in ORDERS:
        asked = request(ITEM, FIGURE, "A mass.", order)
        assert "reference" not in (asked.system + asked.user).lower()
    assert request(ITEM, FIGURE, ITEM.answer, ORDERS[0]).user == request(ITEM, FIGURE, ITEM.answer, ORDERS[1]).user


def test_what_is_not_there_is_said_to_be_not_there() -> None:
    asked = request(ITEM, Figure(""), "", "reference-first")
    assert asked.user.count("(none)") == 3


def test_the_digest_tells_requests_apart_by_all_that_decides_the_reply() -> None:
    requests = [Request(1, order, system, user) for order, system, user in product(ORDERS, "ab", ("c", "\ud800"))]
    digests = {each.digest(url, model) for each in requests for url, model in product("uv", "mn")}
    assert len(digests) == 2**5
    assert Request(2, ORDERS[0], "a", "c").digest("u", "m") == requests[0].digest("u", "m")
