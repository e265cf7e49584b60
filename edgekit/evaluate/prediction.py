"""A line of a file of predictions, in the form of LLaVA's evaluation: what a model answered to one question of a set.

Source: LLaVA-Med's and LLaVA's ``model_vqa``, whose files have just these keys, and leave ``metadata`` empty. What
EdgeKit knows of an answer beside its text stands in there, so that whoever reads such files reads ours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from edgekit.vqa.item import Id


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """An answer to the question ``question_id``.

    * ``prompt``: the question as it was asked, without its mark of a picture
    * ``text``: the answer; None where there is none, for the reason in ``metadata["error"]``
    * ``answer_id``: its own name, the same in every run; ``model_id``: which bundle or model gave it
    * ``metadata``: ours has ``fingerprint``, ``data`` (the set's digest), ``split``, ``images``, ``sha256``,
      ``sampling``, ``reason``, ``tokens``, ``notes``, ``confidence`` and ``error``, and nothing that differs from run
      to run
    """

    question_id: Id
    prompt: str
    text: str | None
    answer_id: str
    model_id: str
    metadata: dict[str, Any] = field(default_factory=dict)

    def line(self) -> bytes:
        """Return it as a line of JSON in UTF-8."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
