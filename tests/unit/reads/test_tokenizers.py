"""Each form of ``docs/reads.md`` gives the ids of SentencePiece, GPT-2's pieces or transformers 5.23, or is refused.

What transformers 4.57 makes of the folders saved by 4 is looked at in ``tests/integration/test_transformers_4.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from edgekit.checkpoint.documents import Fields, read_object
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.tokenizer import parse_tokenizer, start_ids, tokenizer_json
from edgekit.errors import CheckpointError
from tests.reads import rows
from tests.tokenizer_folders import BOS, FAST, FORMS, TEXTS, Folder, byte_level, sentencepiece_model

ROWS = rows("Tokenizers")
READ = [form for form, verdict in ROWS.items() if verdict == "read"]
REFUSED = [form for form, verdict in ROWS.items() if verdict.startswith("refused")]


def prompt_ids(path: Path, text: str) -> list[int]:
    """How a prompt of ``text`` alone is encoded."""
    source = Source(path, Fields(read_object(path / "config.json"), "config.json"), {})
    tokenizer = parse_tokenizer(tokenizer_json(source), str(path))
    return [*start_ids(tokenizer), *tokenizer.encode(text, add_special_tokens=False).ids]


def written(folder: Folder, path: Path) -> Path:
    folder.write(path)
    return path


def test_every_form_has_its_row() -> None:
    assert FORMS.keys() == ROWS.keys()
    assert {*READ, *REFUSED} == ROWS.keys()


@pytest.mark.parametrize("form", READ)
def test_a_form_gives_the_ids_of_its_oracle(form: str, tmp_path: Path) -> None:
    theirs = sentencepiece.SentencePieceProcessor(model_proto=sentencepiece_model())
    for number, folder in enumerate(FORMS[form]):
        path = written(folder, tmp_path / str(number))
        if folder.version.startswith("5"):
            tokenizer = AutoTokenizer.from_pretrained(path)
            for text in TEXTS:
                expected = tokenizer(text).input_ids
                assert prompt_ids(path, text) == (expected[:-1] if folder.frame.endswith("</s>") else expected)
        elif "gpt2" in folder.files or any(name.startswith("byte-level") for name in folder.files):
            blank = " " * bool(folder.config.get("add_prefix_space"))
            pieces = byte_level(False).encode(f"{blank}the lung").ids
            assert prompt_ids(path, "the lung") == [0] * folder.starts + pieces
        elif folder.config.get("add_prefix_space", True):
            assert prompt_ids(path, "the lung") == [BOS] * folder.starts + theirs.encode("the lung")
        else:
            assert prompt_ids(path, " the lung") == [BOS] * folder.starts + theirs.encode("the lung")


@pytest.mark.parametrize("said", [{}, {"prepend_scheme": "always"}, {"prepend_scheme": "first"}])
@pytest.mark.parametrize("blank", [None, True, False])
def test_the_blank_of_a_metaspace_is_left_alone(said: dict[str, str], blank: bool | None, tmp_path: Path) -> None:
    """As tokenizers below 0.19 wrote it; today's loads it into an object without that key, where 4.57 looks."""
    folder = Folder(["llama"], True, FAST if blank is None else {**FAST, "add_prefix_space": blank}, "4.36.2")
    path = written(folder, tmp_path / "m")
    document = json.loads((path / "tokenizer.json").read_text())
    metaspace = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True, **said}
    (path / "tokenizer.json").write_text(json.dumps({**document, "normalizer": None, "pre_tokenizer": metaspace}))
    theirs = Tokenizer.from_file(str(path / "tokenizer.json"))
    for text in TEXTS:
        assert prompt_ids(path, text) == theirs.encode(text).ids


@pytest.mark.parametrize("form", REFUSED)
def test_a_form_is_refused_in_words(form: str, tmp_path: Path) -> None:
    for number, folder in enumerate(FORMS[form]):
        with pytest.raises(CheckpointError) as error:
            prompt_ids(written(folder, tmp_path / str(number)), "a")
        assert ROWS[form].partition(": ")[2] in str(error.value)
        assert error.value.hint
