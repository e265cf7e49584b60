"""The file of judgements: beside the predictions, read as it was written, and nothing else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.errors import InputError
from edgekit.evaluate.judge.judgement import Judgement, judgements, judgements_path
from edgekit.evaluate.judge.verdict import Scores

LINE = Judgement(
    digest="d",
    question_id=1,
    order="ours-first",
    url="http://a/v1",
    model="m",
    reply="8 7\nBecause “so”.",
    refusal=None,
    finish="stop",
    prompt_tokens=3,
    completion_tokens=None,
)


def test_what_is_written_is_read_again_whatever_run_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.judgements.jsonl"
    with judgements(path) as file:
        file.add(LINE)
        file.add(replace(LINE, digest="e", url="http://b/v1", reply=None, refusal="No."))
    with path.open("ab") as cut:
        cut.write(LINE.line()[:40])
    with judgements(path) as file:
        assert file.lines == {"d": LINE, "e": replace(LINE, digest="e", url="http://b/v1", reply=None, refusal="No.")}
        assert LINE.verdict == Scores(8, 7)


@pytest.mark.parametrize(
    "line", [b'{"digest": "d"}\n', LINE.line().replace(b'"stop"', b"3"), LINE.line().replace(b": 3,", b': "3",')]
)
def test_another_file_is_left_as_it_is(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "a.judgements.jsonl"
    path.write_bytes(line)
    with (
        pytest.raises(InputError, match=r"(?s)holds no judgements of EdgeKit's.*move that file away"),
        judgements(path),
    ):
        pass
    assert path.read_bytes() == line


@pytest.mark.parametrize(
    ("out", "name"),
    [
        ("x/conversation-all.predictions.jsonl", "conversation-all"),
        ("x/out.jsonl", "out"),
        ("x/out", "out"),
        ("x/out.json", "out.json"),
    ],
)
def test_it_lies_beside_the_predictions_and_is_called_after_them(out: str, name: str) -> None:
    assert judgements_path(Path(out)) == Path(f"x/{name}.judgements.jsonl")
