"""What a report of diagnoses says as a whole."""

from __future__ import annotations

import pytest

from edgekit.doctor.diagnosis import Diagnosis, Report, said, worst_first

GOOD, BAD, UNKNOWN = (Diagnosis("gpu", state, state, "mend") for state in ("good", "bad", "unknown"))


def test_only_what_is_bad_is_unhealthy() -> None:
    assert Report("cpu", "cpu", (GOOD, UNKNOWN)).healthy
    report = Report("orin", "", (GOOD, BAD, UNKNOWN))
    assert not report.healthy
    assert report.of("unknown") == [UNKNOWN]
    document = report.document()
    assert list(document) == ["target", "detected", "healthy", "findings"]
    assert document["findings"][1] == {"subject": "gpu", "state": "bad", "what": "bad", "mend": "mend"}


def test_the_worst_comes_first_and_equals_keep_their_order() -> None:
    other = Diagnosis("gpu", "bad", "another")
    assert [*worst_first([GOOD, UNKNOWN, BAD, other])] == [BAD, other, UNKNOWN, GOOD]


@pytest.mark.parametrize(
    ("text", "words"), [("", "it says nothing"), (" \n\n", "it says nothing"), ("way\n there \n reason \n\n", "reason")]
)
def test_a_program_s_reason_is_its_last_line(text: str, words: str) -> None:
    assert said(text) == words


def test_a_long_reason_is_cut() -> None:
    assert len(said("x" * 999)) <= 200
