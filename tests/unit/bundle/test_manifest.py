"""A manifest is read as it was written; what is damaged, of another format or impossible is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit import config
from edgekit.bundle.manifest import read_manifest
from edgekit.config import seal
from edgekit.errors import BundleError
from tests.specs import SMALL, manifest

WRITTEN = manifest(forced=("over budget",))
PATH = Path("b/manifest.json")


def sealed(document: dict[str, Any]) -> bytes:
    return seal.dumps(document).encode()


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert read_manifest(PATH, sealed(config.dump(WRITTEN))) == WRITTEN


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (lambda document: sealed(document)[:-20], "b/manifest.json", "build the bundle again"),
        (lambda document: sealed(document).replace(b'"toy"', b'"tox"'), "differ", "build the bundle again"),
        (lambda document: sealed({**document, "format": 9}), "format 9", "Use the EdgeKit that built it"),
        (lambda document: sealed({**document, "more": 1}), "more", "damaged or changed"),
        (lambda document: sealed({**document, "context": 0}), "a context of 0", "damaged or changed"),
        (lambda document: sealed({**document, "context": SMALL.tokens_per_image + 63}), "a context", "damaged"),
        (lambda document: sealed({**document, "context": SMALL.decoder.context + 1}), "at most", "damaged"),
    ],
)
def test_another_is_one_clear_error(text: Callable[[Any], bytes], message: str, hint: str) -> None:
    with pytest.raises(BundleError) as error:
        read_manifest(PATH, text(config.dump(WRITTEN)))
    assert message in error.value.message
    assert hint in error.value.hint


def test_an_arena_that_no_machine_holds_is_refused_before_anybody_allocates_it() -> None:
    wide = replace(WRITTEN, target=replace(WRITTEN.target, slots=10**9))
    with pytest.raises(BundleError, match="more keys and values than any machine holds"):
        read_manifest(PATH, sealed(config.dump(wide)))
