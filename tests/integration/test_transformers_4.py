"""Folders saved by transformers 4 are read as 4.57 reads them, in an environment of its own that the Makefile makes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.tokenizer_folders import FORMS, TEXTS
from tests.unit.reads.test_tokenizers import READ, prompt_ids

pytestmark = pytest.mark.system

PYTHON = Path(__file__).parents[2] / ".venv-4" / "bin" / "python"
SCRIPT = """
import json, sys
from pathlib import Path
from transformers import AutoTokenizer

texts, ids = json.loads(sys.argv[2]), {}
for folder in Path(sys.argv[1]).iterdir():
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids[folder.name] = [tokenizer(text).input_ids for text in texts], tokenizer.eos_token_id
print(json.dumps(ids))
"""


def test_tokens_are_those_of_transformers_4(tmp_path: Path) -> None:
    folders = [folder for form in READ for folder in FORMS[form] if folder.version.startswith("4")]
    for number, folder in enumerate(folders):
        folder.write(tmp_path / str(number))
    done = subprocess.run([PYTHON, "-c", SCRIPT, tmp_path, json.dumps(TEXTS)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    assert len(theirs) == len(folders) > 80
    for number, folder in enumerate(folders):
        given, end = theirs[str(number)]
        for text, expected in zip(TEXTS, given, strict=True):
            ends = folder.config.get("add_eos_token") or ("</s>" in folder.frame and expected[-1] == end)
            trimmed = expected[:-1] if ends and expected[-1] == end else expected
            assert prompt_ids(tmp_path / str(number), text) == trimmed, (folder, text)
