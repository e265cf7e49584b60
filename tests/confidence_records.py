"""A record of a model's confidence that promises next to nothing, so that any answer of a toy's is unsure by it."""

from __future__ import annotations

from edgekit.confidence.record import Confidence, Data, Promise

DATA = Data(title="VQA-RAD", form="vqa-rad", split="test", digest="d", items=451)
RECORD = Confidence(
    bundle="b" * 64, data=DATA, temperature=2.0, promises=(Promise(error=0.05, threshold=1.0, coverage=0.01),)
)
