"""The options of ``evaluate``: which of them go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click
import pytest

from edgekit.cli.evaluating import FORMS, Data, cluster_name, subjects
from edgekit.vqa.dataset import Form
from tests.question_sets import vqa_rad

PLAIN: dict[str, Any] = {"data": "phantoms", "split": None, "form": None, "images": None, "questions": None}


def data(**options: Any) -> Data:
    return Data(**PLAIN | options)


def test_phantoms_are_asked_about_unless_a_set_is_given() -> None:
    assert data().phantoms
    assert (data().count, data(questions=6).count) == (2400, 6)
    assert not data(data="set", split="test").phantoms


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split": "test"}, "--split is for a set; give --data, or leave it out"),
        ({"form": "slake"}, "--form is for a set"),
        ({"images": Path()}, "--images is for a set"),
        ({"data": "set"}, "say which split"),
        ({"data": "set", "split": "test", "questions": 3}, "--questions is for phantoms"),
    ],
)
def test_what_does_not_go_together_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(click.UsageError, match=said):
        assert data(**options).phantoms


def test_a_set_is_read_as_its_options_say(tmp_path: Path) -> None:
    file = vqa_rad(tmp_path)
    dataset = data(data=str(file), split="test", images=tmp_path / "images").read()
    assert (dataset.form, len(dataset.items), dataset.folder) == ("vqa-rad", 2, tmp_path / "images")


def test_every_form_that_is_read_may_be_given() -> None:
    assert {*FORMS, "phantoms"} == set(get_args(Form))


def test_bundles_have_recipes_of_their_own() -> None:
    with pytest.raises(click.UsageError, match="--recipe"):
        subjects((Path("a"),), ("q4",))
    assert subjects((), ("q8", "q4")).names == ("q8", "q4")


@pytest.mark.parametrize("name", [None, "ray", "ray://node:10001", "ray://192.0.2.7:10001", "ray://[::1]:10001"])
def test_a_cluster_is_rays_or_has_its_address(name: str | None) -> None:
    assert cluster_name(click.Context(click.Command("evaluate")), click.Option(["--on"]), name) == name


@pytest.mark.parametrize(
    "name", ["", "dask", "ray:", "ray://", "ray://node", "ray://node:x", "ray://:1", "ray://node:0", "ray://node:1/a",
             "ray://node:70000", "http://node:1", "RAY://node:1", "Ray"]
)  # fmt: skip
def test_what_names_no_cluster_is_refused(name: str) -> None:
    with pytest.raises(click.BadParameter, match="give ray or ray://HOST:PORT"):
        cluster_name(click.Context(click.Command("evaluate")), click.Option(["--on"]), name)
