"""An image to build on is one with a digest, unless somebody says that another one will do."""

from __future__ import annotations

import pytest

from edgekit.deploy.container.base import read_base
from edgekit.errors import ConfigError

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    [
        "debian",
        "library/python:3.12-slim",
        "nvidia/l4t-jetpack:r36.4.0",
        "localhost:5000/ward/base:1",
        "mirror.example/b",
    ],
)
def test_an_image_is_pinned_by_its_digest(name: str) -> None:
    base = read_base(f"{name}@sha256:{DIGEST}")
    assert (base.reference, base.sha256, base.pinned) == (f"{name}@sha256:{DIGEST}", DIGEST, True)
    assert not read_base(name, unpinned=True).pinned


def test_one_without_a_digest_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"nvidia/tensorrt:25\.10-py3 has no digest") as refused:
        read_base("nvidia/tensorrt:25.10-py3")
    assert "--unpinned" in refused.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        " debian",
        "debian@sha256:12",
        f"debian@sha512:{DIGEST}",
        f"debian@sha256:{DIGEST.upper()}",
        "a b",
        "a:b:c",
        "a\nb",
        "$x",
    ],
)
def test_what_is_no_image_is_refused_pinned_or_not(wrong: str) -> None:
    with pytest.raises(ConfigError, match="names no image"):
        read_base(wrong, unpinned=True)
