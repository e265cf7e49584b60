"""The tables of ``docs/reads.md``, so that a test can hold each row against what EdgeKit does with such an input."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "reads.md"


def rows(section: str) -> dict[str, str]:
    """The verdict ("read", "read: …" or "refused: …") on each form in the table under the heading ``section``."""
    _, _, text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")
    table = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")][2:]
    forms = [line.strip("|").partition(" | ") for line in table]
    verdicts = {form.strip(): verdict.strip() for form, _, verdict in forms}
    assert len(verdicts) == len(table), f"a form stands twice under {section}"
    assert all(verdict.partition(":")[0] in ("read", "refused") for verdict in verdicts.values()), verdicts
    return verdicts
