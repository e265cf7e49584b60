"""What a training says of itself, against the file that lies beside the embedded model's weights."""

from __future__ import annotations

import json
from typing import Any

from edgekit.tune.training import Training


def test_the_document_is_the_file_that_ships(training: Training, shipped: dict[str, Any]) -> None:
    assert json.dumps(training.document()) == json.dumps(shipped)


def test_what_was_reached_is_the_last_point(training: Training, shipped: dict[str, Any]) -> None:
    last = shipped["curve"][-1]
    assert last["stage"] == "answers"
    assert training.reached == {form: last[form] for form in ("closed", "open", "description")}
