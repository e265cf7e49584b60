"""Figures from files: which bundle's they are, which file each is from, and what is no such file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.report.paper.measured import read_measured
from edgekit.units import GIB
from tests.reported import evaluation, plan, profile, write


def test_a_bundle_s_files_are_put_together_by_its_digest(tmp_path: Path) -> None:
    folder = write(tmp_path, a=evaluation("a", 60.0), b=profile("a", 1.0, 1.5))
    (one,) = read_measured([folder])
    assert (one.name, one.recipe, one.model) == ("a", "q4", "tiny")
    closed = one.accuracy["VQA-RAD closed"]
    assert (closed.value, closed.interval) == (60, (58, 62))
    assert one.dynamic_bytes is not None
    assert one.dynamic_bytes.value == 1.5 * GIB  # the mean of peaks, as the paper has it
    assert one.first_token_ms is not None
    assert one.first_token_ms.value == 500
    digest = sha256((folder / "a.json").read_bytes()).hexdigest()[:16]
    assert str(closed.source) == f"a.json (sha256 {digest}…), by edgekit evaluate --data … --split test --json"


def test_several_bundles_in_one_file_and_somebody_s_answers(tmp_path: Path) -> None:
    both = {"bundles": [evaluation("a", 60.0), evaluation("b", 50.0, digest=None, bytes=None)], "comparisons": []}
    a, b = read_measured([write(tmp_path, both=both) / "both.json"])
    assert (a.name, b.name, b.digest, b.disk_bytes) == ("a", "b", None, None)


def test_a_plan_fills_what_no_profile_says(tmp_path: Path) -> None:
    folder = write(tmp_path, e=evaluation("a", 60.0, model="tiny"), p=plan("tiny", "q4", 2, 3))
    (one,) = read_measured([folder])
    assert one.dynamic_bytes is not None
    assert one.dynamic_bytes.value == 3 * GIB
    (profiled,) = read_measured([write(tmp_path, q=profile("a", 1, 1))])
    assert profiled.dynamic_bytes is not None
    assert profiled.dynamic_bytes.value == GIB
    (alone,) = read_measured([tmp_path / "p.json"])
    assert (alone.name, alone.accuracy) == ("tiny", {})


def test_slake_is_its_english_rows(tmp_path: Path) -> None:
    english = {"open_recall": {"percent": 40.0, "interval": None, "count": 9}}
    slake = evaluation(
        "a", 60.0, data={"title": "SLAKE", "split": "test"}, groups={"language": {"en": english, "zh": {}}}
    )
    (one,) = read_measured([write(tmp_path, slake=slake)])
    assert {name: figure.value for name, figure in one.accuracy.items()} == {"SLAKE open": 40}


@pytest.mark.parametrize("data", [None, {"title": "VQA-RAD", "split": "train"}, {"title": "Toy", "split": "test"}])
def test_what_is_no_test_split_of_the_paper_s_sets_has_no_place_in_table_1(tmp_path: Path, data: Any) -> None:
    measured = read_measured([write(tmp_path, e=evaluation("a", 99.0, data=data))])
    assert all(not one.accuracy for one in measured)


def test_judgements_are_read_by_type_and_domain(tmp_path: Path) -> None:
    bucket = {"percent": 51.0, "interval": [40.0, 60.0], "count": 3}
    judge = {"overall": bucket, "types": {"detailed_description": bucket}, "domains": {"chest_xray": bucket}}
    (one,) = read_measured([write(tmp_path, e=evaluation("a", 60.0, judge=judge))])
    assert list(one.judged) == ["description", "chest X-ray", "overall"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is not valid JSON"), ("[]", "holds no evaluation"), ('{"a": 1}', "holds no evaluation")],
)
def test_what_is_no_such_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=rf"x\.json {message}"):
        read_measured([tmp_path])


def test_an_empty_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no \.json file"):
        read_measured([tmp_path])
    with pytest.raises(InputError, match=r"none\.json can't be read"):
        read_measured([tmp_path / "none.json"])
    assert read_measured([]) == []
