"""What is believed of this processor."""

from __future__ import annotations

import pytest


@pytest.fixture(params=[True, False], ids=["saturating", "exact"])
def saturates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """What is believed of this processor's sums. Forms equal each other to the last bit, whether it is so or not."""
    believed: bool = request.param
    monkeypatch.setattr("edgekit.onnx_session.sums_saturate", lambda: believed)
    monkeypatch.setattr("edgekit.engines.onnxruntime.packing.optimize.sums_saturate", lambda: believed)
    return believed
