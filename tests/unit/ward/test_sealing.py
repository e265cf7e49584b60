"""What is sealed opens by its key, in its place, unchanged; or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.errors import EdgeKitError
from edgekit.ward.sealing import seal, seal_bytes, unseal, unseal_bytes

KEY = b"k" * 32
PLACE = "turn abc"


@given(st.dictionaries(st.text(), st.text(st.characters()) | st.lists(st.integers()) | st.none()))
def test_what_is_sealed_opens_again(document: dict[str, object]) -> None:
    sealed = seal(KEY, PLACE, document)
    assert unseal(KEY, PLACE, sealed) == document
    assert sealed != seal(KEY, PLACE, document), "nobody sees that two are equal"


@pytest.mark.parametrize("change", ["key", "place", "bit", "cut", "empty"])
def test_anything_else_is_an_error(change: str) -> None:
    sealed = bytearray(seal_bytes(KEY, PLACE, b"a text"))
    assert len(sealed) == 28 + 6
    if change == "bit":
        sealed[-1] ^= 1
    left = sealed[: {"cut": -1, "empty": 0}.get(change, len(sealed))]
    with pytest.raises(EdgeKitError, match="A turn that is kept is damaged"):
        unseal_bytes(b"o" * 32 if change == "key" else KEY, "turn x" if change == "place" else PLACE, bytes(left))
