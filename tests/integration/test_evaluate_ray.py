"""A set asked on a Ray cluster of two nodes on this machine: the bytes of one process, whatever is lost on the way.

Each node has one processor, so an engine of one thread runs on each, and others wait for their turn.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from edgekit.phantom.folder import write_folder
from tests.embedded_bundles import EmbeddedBundles

pytestmark = [
    pytest.mark.system,
    # Ray leaves its logs of Ray Client's server open where it starts one.
    pytest.mark.filterwarnings("ignore:unclosed file .*ray_client_server:ResourceWarning"),
]
PICTURES = 40
ROWS = 2 * 6 * PICTURES
OBJECTS = 80 << 20
PORT = 10001  # Ray's own choice; some that are free elsewhere are within its workers' range
# A node counts as lost after half a second without a word, instead of 15: nothing here is far away.
SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 200, "health_check_failure_threshold": 3}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set") / "rad"
    write_folder(folder, "vqa-rad", "test", PICTURES)
    return folder


@pytest.fixture(scope="module")
def words(data: Path, embedded_as: EmbeddedBundles) -> list[str]:
    bundles = [str(embedded_as(recipe).path) for recipe in ("q4", "q8")]
    return ["evaluate", *bundles, "--data", str(data), "--split", "test", "--json"]


@pytest.fixture(scope="module")
def whole(words: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Any]:
    """What one process writes and prints."""
    out = tmp_path_factory.mktemp("whole") / "out.jsonl"
    done = subprocess.run([sys.executable, "-m", "edgekit", *words, "--out", str(out)], capture_output=True, check=True)
    return out.read_bytes(), json.loads(done.stdout)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cluster is named, and the token that Ray makes goes elsewhere."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.fixture
def cluster(alone: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head, which answers Ray Client at ``PORT``, and one more node; nothing of it is left at the end."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": OBJECTS, "include_dashboard": False, "_system_config": SOON}
    started = Cluster(initialize_head=True, head_node_args=head | {"ray_client_server_port": PORT})
    try:
        started.add_node(num_cpus=1, object_store_memory=OBJECTS)
        monkeypatch.setenv("RAY_ADDRESS", started.address)
        yield started
    finally:
        started.shutdown()


def asking(words: list[str], out: Path, on: str = "ray") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edgekit", *words, "--on", on, "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(asked: subprocess.Popen[str], out: Path, enough: Callable[[int], bool]) -> int:
    """Wait until so many lines have been written; return how many there are."""
    end = time.monotonic() + 60
    while asked.poll() is None and time.monotonic() < end:
        lines = out.read_bytes().count(b"\n") if out.exists() else 0
        if enough(lines):
            return lines
        time.sleep(0.01)
    pytest.fail(f"never came so far: {asked.communicate(timeout=5) if asked.poll() is not None else 'it hangs'}")


def of_one(content: bytes) -> bytes:
    """The lines of the first of two bundles."""
    lines = content.splitlines(keepends=True)
    return b"".join(lines[: len(lines) // 2])


def raylets() -> set[int]:
    """The nodes' processes on this machine."""
    return {process.pid for process in psutil.process_iter(["name"]) if process.info["name"] == "raylet"}


def test_a_node_that_is_lost_and_a_run_that_is_stopped_change_nothing(
    words: list[str], whole: tuple[bytes, Any], cluster: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    stopped = asking(words, out)
    before = until(stopped, out, lambda lines: lines > ROWS // 10)
    stopped.send_signal(signal.SIGINT)
    printed, told = stopped.communicate(timeout=30)
    assert (stopped.returncode, printed) == (130, ""), told
    assert "Traceback" not in told
    kept = out.read_bytes()
    assert before <= kept.count(b"\n") < ROWS
    asked = asking(words, out)
    until(asked, out, lambda lines: lines > kept.count(b"\n") + ROWS // 10)
    (node,) = cluster.worker_nodes
    cluster.remove_node(node, allow_graceful=False)
    assert out.read_bytes().count(b"\n") < ROWS, "it was lost in the middle"
    printed, told = asked.communicate(timeout=120)
    assert asked.returncode == 0, told
    first, *progress = told.splitlines()
    assert first.endswith("240 questions")
    assert all(line.startswith("answering: ") for line in progress), "Ray's own words are not ours to show"
    assert json.loads(printed) == whole[1]
    assert out.read_bytes() == whole[0]


def test_a_cluster_is_asked_from_elsewhere_by_ray_client(
    words: list[str], whole: tuple[bytes, Any], cluster: Any, tmp_path: Path
) -> None:
    asked = asking(words[:2] + words[3:], tmp_path / "out.jsonl", f"ray://127.0.0.1:{PORT}")
    _, told = asked.communicate(timeout=120)
    assert asked.returncode == 0, told
    assert (tmp_path / "out.jsonl").read_bytes() == of_one(whole[0])


def test_without_a_cluster_one_is_started_and_ended(
    words: list[str], whole: tuple[bytes, Any], alone: None, tmp_path: Path
) -> None:
    others = raylets()
    asked = asking(words[:2] + words[3:], tmp_path / "out.jsonl")
    _, told = asked.communicate(timeout=120)
    assert asked.returncode == 0, told
    assert (tmp_path / "out.jsonl").read_bytes() == of_one(whole[0])
    assert raylets() == others
