"""What a command showed people, read back: a table's rows as their cells."""

from __future__ import annotations

import re


def rows(text: str) -> list[list[str]]:
    """The cells of each line that is not blank; two blanks or more stand between them, and an empty cell is none."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines() if line.strip()]
