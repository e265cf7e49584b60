"""Real machines with little memory, by control groups: the gate refuses in one, passes in another, and is honest where
the kernel ends what it measures."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.units import GIB, MIB
from tests.embedded_bundles import EmbeddedBundles
from tests.groups import run_in, small_group

pytestmark = pytest.mark.system  # root, and control groups
GATE = """
import sys, json
from pathlib import Path
from edgekit.bundle import open_bundle
from edgekit.errors import GateRefused
from edgekit.profile import profile, require_profile

def quickly(bundle, progress):
    return profile(bundle, seconds=0.05)

try:
    made, rows = require_profile(open_bundle(Path(sys.argv[1])), measure=quickly)
    print(json.dumps(["passed", made.device.memory_bytes, len(rows)]))
except GateRefused as refused:
    print(json.dumps(["refused", refused.message]))
"""


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return embedded_as.copy("q4", tmp_path_factory.mktemp("small") / "q4")


def test_a_machine_with_too_little_memory_is_refused(bundle: Bundle) -> None:
    with small_group(GIB + 150 * MIB) as group:  # of which the target reserves 1 GiB
        done = run_in(group, "-c", GATE, str(bundle.path))
    verdict, message = json.loads(done.stdout)
    assert verdict == "refused", done.stderr
    assert "memory over time" in message
    assert "at most 150 MiB" in message


def test_a_machine_with_enough_passes_and_is_not_measured_twice(bundle: Bundle) -> None:
    with small_group(GIB + 512 * MIB) as group:
        first = json.loads(run_in(group, "-c", GATE, str(bundle.path)).stdout)
        kept = set((bundle.path / "profiles").iterdir())
        again = json.loads(run_in(group, "-c", GATE, str(bundle.path)).stdout)
    assert first == again == ["passed", GIB + 512 * MIB, 7]
    assert set((bundle.path / "profiles").iterdir()) == kept


def test_a_profile_of_a_larger_machine_does_not_count_on_a_smaller_one(bundle: Bundle) -> None:
    with small_group(GIB + 512 * MIB) as group:
        assert json.loads(run_in(group, "-c", GATE, str(bundle.path)).stdout)[0] == "passed"
    with small_group(GIB + 150 * MIB) as group:
        assert json.loads(run_in(group, "-c", GATE, str(bundle.path)).stdout)[0] == "refused"


def test_a_measurement_that_the_kernel_ends_is_one_clear_error(bundle: Bundle, tmp_path: Path) -> None:
    before = sorted((bundle.path / "profiles").glob("*"))
    for size in range(40, 160, 8):  # MiB: the smallest group that the command itself lives in, whatever it takes here
        with small_group(size * MIB) as group:
            done = run_in(group, "-m", "edgekit", "profile", str(bundle.path))
        if done.returncode != -signal.SIGKILL:
            break
    assert done.returncode == 1
    assert "was ended by SIGKILL" in done.stderr or "no room for a KV arena" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    assert sorted((bundle.path / "profiles").glob("*")) == before
