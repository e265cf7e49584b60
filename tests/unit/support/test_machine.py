"""The machine's topics, on recorded machines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edgekit import __version__
from edgekit.errors import ConfigError
from edgekit.support import Subject
from edgekit.support.machine import TOPICS, disk, memory, target, versions
from edgekit.support.topic import part
from edgekit.units import GIB
from tests.unit.machine.recordings import CONTAINER, DESKTOP, ORIN6, VM, lay_cuda_provider, lay_package

Ask = Callable[..., Subject]


def test_versions_name_every_package_that_edgekit_needs_and_no_other(subject: Ask, tmp_path: Path) -> None:
    of = subject(VM.changed(packages={"onnxruntime": "1.31.1", "secret-package": "7"}))
    lines = "Requires-Dist: onnxruntime>=1.23.2\nRequires-Dist: Cuda-Python>=12; extra == 'gpu'\n"
    lay_package(tmp_path / "machine" / "site", "edgekit", "0.1", lines)
    told = versions(of)
    assert told["packages"] == {"cuda-python": None, "onnxruntime": "1.31.1"}
    assert (told["edgekit"], told["python"], told["systemd"]) == (__version__, "3.12.3", "255")
    assert (told["system"], told["kernel"]) == ("Debian GNU/Linux 12 (bookworm)", "6.1.0-38-cloud-amd64")
    assert told["container"] is False


def test_the_site_s_budgets_are_told_as_they_are_understood(subject: Ask, tmp_path: Path) -> None:
    of = subject()
    budgets = tmp_path / "site" / "budgets"
    budgets.mkdir(parents=True)
    (budgets / "cpu.toml").write_text('# for Mrs. Nobody\nstatic = "2 GiB"\n')
    (budgets / "mrs-nobody.toml").write_text('static = "1 GiB"\n')
    told = target(of)
    assert told["target"].name == "cpu"
    assert told["target"].budget.static_bytes == 2 * GIB
    assert list(told["site_budgets"]) == ["cpu"], "what is no target's name may be anybody's"
    (budgets / "cpu.toml").write_text("sttaic = 1\n")
    with pytest.raises(ConfigError, match="sttaic"):
        target(of)


def test_memory_tells_what_limits_it(subject: Ask) -> None:
    told = memory(subject(CONTAINER))
    assert told["total_bytes"] == 2 * GIB
    assert [group.limit_bytes for group in told["groups"]] == [2 * GIB]
    assert "MemAvailable:    7000000 kB" in told["meminfo"]


def test_disks_are_looked_at_where_there_is_something_yet(subject: Ask, tmp_path: Path) -> None:
    told = disk(subject(bundle=tmp_path / "bundle"))
    assert [place["what"] for place in told] == ["state", "bundle", "temporary"]
    assert told[0]["path"] == str(tmp_path / "state")
    for place in told:
        assert 0 < place["free_bytes"] < place["all_bytes"]
    assert [place["what"] for place in disk(subject())] == ["state", "temporary"]


@pytest.mark.parametrize("recording", [VM, DESKTOP, ORIN6, CONTAINER])
def test_every_topic_can_be_read_of_every_machine(recording: object, subject: Ask, tmp_path: Path) -> None:
    of = subject(recording)
    lay_cuda_provider(tmp_path / "machine" / "site")
    for topic in TOPICS:
        document = json.loads(part(topic, of).text)
        assert "error" not in document, topic.name
