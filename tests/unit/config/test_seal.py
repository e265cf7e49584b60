"""A sealed file is read as it was written, and no flipped bit of it goes unseen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit import config
from edgekit.bundle.hashes import FileEntry
from edgekit.config import seal
from edgekit.errors import ConfigError

DOCUMENT = {"text": "Röntgen", "numbers": [1, 2.5], "nested": {"": None, "seal": ""}, "seal of": "", "digest": "0" * 64}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
KEYS = st.text().filter(lambda key: key != "seal")


@settings(max_examples=30)
@given(st.dictionaries(KEYS, JSON, max_size=5))
def test_a_document_is_read_as_it_was_written(document: dict[str, Any]) -> None:
    text = seal.dumps(document)
    assert seal.loads(text.encode(), "x") == (document, True)
    digest = json.loads(text)["seal"]
    assert hashlib.sha256(text.replace(digest, "").encode()).hexdigest() == digest  # anybody can tell, with two tools


@pytest.mark.parametrize("document", [{}, {"a": "b"}, DOCUMENT], ids=["empty", "small", "odd"])
def test_no_flipped_bit_of_a_document_goes_unseen(document: dict[str, Any]) -> None:
    text = seal.dumps(document).encode()
    for at in range(len(text)):
        for bit in range(8):
            harmed = bytearray(text)
            harmed[at] ^= 1 << bit
            with pytest.raises(ConfigError, match=r"^here\.json"):
                seal.loads(bytes(harmed), "here.json")


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text.replace('"a": 1', '"a": 2'),
        lambda text: json.dumps(json.loads(text)),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text.replace('"seal": "', '"seal": "0'),
        lambda text: json.dumps(json.loads(text) | {"seal": ""}, indent=1) + "\n",
        lambda text: json.dumps(json.loads(text) | {"seal": None}, indent=1) + "\n",
        lambda text: json.dumps({"seal": json.loads(text)["seal"], "a": 1}, indent=1) + "\n",
    ],
    ids=["value", "layout", "cut", "longer", "longer seal", "empty seal", "no seal", "seal elsewhere"],
)
def test_what_was_changed_is_refused(harm: Any) -> None:
    with pytest.raises(ConfigError, match="differ from what was sealed"):
        seal.loads(harm(seal.dumps({"a": 1})).encode(), "here.json")


@pytest.mark.parametrize("document", [DOCUMENT, [1], "seal", {"digest": "0" * 64, "last": "0" * 63}])
def test_what_was_never_sealed_is_read_as_it_is(document: Any) -> None:
    for indent in (None, 1):
        assert seal.loads(json.dumps(document, indent=indent).encode(), "x") == (document, False)


def test_a_sealed_file_is_read_as_its_dataclass(tmp_path: Path) -> None:
    file = tmp_path / "entry.json"
    file.write_text(seal.dumps(config.dump(FileEntry(5, "11"))))
    assert config.load_json(file, FileEntry) == FileEntry(5, "11")
    file.write_text(file.read_text().replace("5", "6", 1))
    with pytest.raises(ConfigError, match=r"entry\.json: the contents differ"):
        config.load_json(file, FileEntry)


@given(st.binary(max_size=40))
def test_no_flipped_bit_of_bytes_goes_unseen(data: bytes) -> None:
    sealed = seal.wrap(data)
    assert seal.unwrap(sealed) == data
    assert seal.unwrap(sealed[:-1]) is None
    for bit in range(8 * len(sealed)):
        harmed = bytearray(sealed)
        harmed[bit // 8] ^= 1 << bit % 8
        assert seal.unwrap(bytes(harmed)) is None
