"""English text that every Python brings along, as windows of tokens: what perplexity is measured on.

The text is the language reference in ``pydoc_data.topics`` of the standard library, three chapters of it. It differs
a little from one Python to the next, so figures are comparable where :data:`PUBLISHED` is the digest of the text.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

Windows = npt.NDArray[np.int64]
"""Token ids ``[windows, LENGTH]``. No window begins with a BOS token: the model was not trained with one."""

CHAPTERS = ("types", "compound", "specialnames")
OTHER_CHAPTERS = ("debugger", "string-methods", "typesseq", "formatstrings")
LENGTH, COUNT = 512, 40
PUBLISHED = "2952c6fc3365d18dc6eb0b60fac35fd880f5fcc3984c1c22cd77b37cf76bc9c4"  # of Python 3.11.7


def digest() -> str:
    """SHA-256 of the whole text, in UTF-8."""
    return hashlib.sha256(_text(CHAPTERS).encode()).hexdigest()


def measured(tokenizer: Path) -> Windows:
    """The first ``COUNT`` windows of the text."""
    return _windows(tokenizer, CHAPTERS)


def calibration(tokenizer: Path) -> Windows:
    """As many windows of other chapters, for methods that look at activations: none of what is measured."""
    return _windows(tokenizer, OTHER_CHAPTERS)


def _text(chapters: tuple[str, ...]) -> str:
    return "\n\n".join(topics[chapter].strip() for chapter in chapters)


def _windows(tokenizer: Path, chapters: tuple[str, ...]) -> Windows:
    ids = Tokenizer.from_file(str(tokenizer)).encode(_text(chapters), add_special_tokens=False).ids
    count = min(COUNT, len(ids) // LENGTH)
    return np.array(ids[: count * LENGTH], np.int64).reshape(count, LENGTH)
