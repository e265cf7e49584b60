"""A question of a set, with the answer that people agreed on, and what its set says of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Id: TypeAlias = "str | int"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One question of a set.

    * ``id``: by which an answer to it is found again, unique in its set
    * ``question``, and the ``answer`` that people agreed on, without blanks around them
    * ``images``: the names of its pictures' files below the set's folder, as POSIX writes them
    * ``closed``: whether the set counts it as closed (yes/no, either/or), not as open
    * ``question_type``, ``organ``, ``modality``: the set's own words, in one spelling each; empty where it has none
    * ``language``: of question and answer, as ISO 639-1 has it
    """

    id: Id
    question: str
    images: tuple[str, ...]
    answer: str
    closed: bool
    question_type: str = ""
    organ: str = ""
    modality: str = ""
    language: str = "en"
