"""What is handed to the process that builds."""

from __future__ import annotations

import json
from pathlib import Path

from edgekit import config
from edgekit.engines.tensorrt.build.job import Job, Options

PROFILES = [{"x": ((1, 8), (4, 8), (8, 8))}]


def test_a_job_is_read_as_it_was_written(tmp_path: Path) -> None:
    for options in (Options(), Options("tensorrt_rtx", "8.6", 1 << 20, 2, tmp_path / "timings")):
        job = Job(
            graph=tmp_path / "graph",
            plan=tmp_path / "part" / "plan",
            place=tmp_path / "plan",
            profiles=tuple(PROFILES),
            options=options,
            less_memory="Buy more.",
        )
        assert config.load(Job, json.loads(json.dumps(config.dump(job))), "a job") == job
