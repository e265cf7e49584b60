"""What each step of the demo gives, made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.demo import SEED, DemoBundle, DemoScores, Planned, Shown
from edgekit.evaluate.phantoms import ScoredAnswer
from edgekit.evaluate.share import Share
from edgekit.machine.memory import Memory
from edgekit.profile.glance import Glance
from edgekit.units import KIB, MIB

ROWS = (
    ScoredAnswer(
        seed=SEED,
        form="closed",
        topic="heart",
        question="Is the heart enlarged?",
        expected="yes",
        answer="yes",
        right=True,
    ),
    ScoredAnswer(
        seed=SEED,
        form="open",
        topic="where",
        question="Where is the nodule?",
        expected="on the left",
        answer="on the right",
        right=False,
    ),
)


def made_up(out: Path) -> list[Any]:
    return [
        Planned(
            "llava-phantom",
            4_672_256,
            {
                "fp16": {"vision": 2 * MIB, "decoder": 3 * MIB},
                "q4": {"vision": 96 * KIB, "decoder": 160 * KIB},
            },
        ),
        DemoBundle(
            bundle=str(out / "q4"), recipe="q4", target="cpu", bytes=3 * MIB, files=8, compiled=True, seconds=1.26
        ),
        DemoScores({"closed": Share(28, 30), "open": Share(19, 20)}, 0.84),
        Glance(
            before=Memory(30 * MIB, 20 * MIB),
            loaded=Memory(40 * MIB, 25 * MIB),
            peak=Memory(50 * MIB, 27 * MIB),
            load_s=0.0713,
            first_token_ms=12.4,
            tokens_per_s=801.6,
        ),
        Shown(str(out / "phantom.png"), ROWS),
    ]
