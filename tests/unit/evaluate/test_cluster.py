"""How many engines a cluster has room for, and what is said where there is no Ray and no cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.evaluate.cluster import HERE, Room, _connect, cluster, resources


@pytest.mark.parametrize(
    ("nodes", "gpu", "room"),
    [
        ([{"CPU": 2}], False, Room(1, 2)),
        ([{"CPU": 4}, {"CPU": 4}], False, Room(2, 4)),
        ([{"CPU": 9}, {"CPU": 2}, {"CPU": 0}, {}], False, Room(5, 2)),
        ([{"CPU": 8, "GPU": 2}, {"CPU": 64}], True, Room(2, 4)),
        ([{"CPU": 16, "GPU": 1}, {"CPU": 4, "GPU": 2}], True, Room(3, 2)),
        ([{"CPU": 1, "GPU": 8}], True, Room(1, 1)),
    ],
)
def test_engines_are_as_large_as_the_smallest_node(nodes: list[dict[str, float]], gpu: bool, room: Room) -> None:
    assert Room.of(nodes, gpu) == room


@pytest.mark.parametrize(
    ("nodes", "gpu", "lacks"),
    [([], False, "a processor"), ([{"CPU": 0}], False, "a processor"), ([{"CPU": 4}], True, "a GPU")],
)
def test_a_cluster_without_room_is_an_error(nodes: list[dict[str, float]], gpu: bool, lacks: str) -> None:
    with pytest.raises(InputError, match=f"No node of the Ray cluster has {lacks}"):
        Room.of(nodes, gpu)


def test_nodes_that_were_lost_have_no_room() -> None:
    class Ray:
        @staticmethod
        def nodes() -> list[dict[str, object]]:
            return [{"Alive": True, "Resources": {"CPU": 2}}, {"Alive": False, "Resources": {"CPU": 4}}]

    assert resources(Ray) == [{"CPU": 2}]


def test_without_ray_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'edgekit\[ray\]'"), cluster(HERE):
        pytest.fail("there is none")


@pytest.mark.parametrize(
    ("token", "asked_for", "shown"), [(True, None, "token"), (True, "disabled", "disabled"), (False, None, None)]
)
def test_the_token_that_ray_keeps_is_shown_unless_somebody_says_otherwise(
    token: bool, asked_for: str | None, shown: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "ray", None)
    for name, value in {"RAY_AUTH_TOKEN": None, "RAY_AUTH_MODE": asked_for}.items():
        monkeypatch.setenv(name, value or "")  # so that it is put back afterwards
        if value is None:
            monkeypatch.delenv(name)
    if token:
        (tmp_path / ".ray").mkdir()
        (tmp_path / ".ray/auth_token").write_text("0")
    with pytest.raises(MissingExtra), cluster(HERE):
        pytest.fail("there is none")
    assert os.environ.get("RAY_AUTH_MODE") == shown


@pytest.mark.parametrize(
    ("address", "error", "started"),
    [
        ("", ConnectionError("none runs"), True),
        ("10.0.0.1:6379", ConnectionError("gone"), False),
        ("", RuntimeError("old"), False),
    ],
)
def test_this_machine_takes_a_cluster_s_place_only_where_there_is_none(
    address: str, error: Exception, started: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def init(address: str, **_: object) -> None:
        asked.append(address)
        if address == "auto":
            raise error

    monkeypatch.setenv("RAY_ADDRESS", address)
    if started:
        _connect(SimpleNamespace(init=init), HERE)
    else:
        with pytest.raises(EdgeKitError, match=f"No Ray cluster is reached at {address or 'this machine'}: {error}"):
            _connect(SimpleNamespace(init=init), HERE)
    assert asked == (["auto", "local"] if started else ["auto"])
