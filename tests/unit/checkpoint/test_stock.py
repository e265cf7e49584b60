"""Which published tower a name means."""

from __future__ import annotations

import pytest

from edgekit.checkpoint.stock import published

LARGE = "openai/clip-vit-large-patch14-336"


@pytest.mark.parametrize(
    "name",
    [
        LARGE,
        f" {LARGE}/ ",
        "/data/clip-vit-large-patch14-336",
        "~/clip-vit-large-patch14-336/",
        "../towers/clip-vit-large-patch14-336",
        "/cache/models--openai--clip-vit-large-patch14-336/snapshots/0a1b2c",
    ],
)
def test_a_name_or_a_path_that_ends_in_one(name: str) -> None:
    tower = published(name)
    assert tower is not None
    assert tower[0] == LARGE
    assert (tower[1]["hidden_size"], tower[1]["patch_size"], tower[1]["image_size"]) == (1024, 14, 336)
    assert tower[1]["hidden_act"] == "quick_gelu"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "clip-vit-large-patch14-336",
        "laion/clip-vit-large-patch14-336",
        "/cache/models--laion--clip-vit-large-patch14-336/snapshots/0",
        "/data/clip-vit-large-patch14-336-tuned",
    ],
)
def test_another_s_name_says_nothing(name: str) -> None:
    assert published(name) is None


def test_a_siglip_computes_as_siglips_do() -> None:
    tower = published("google/siglip-so400m-patch14-384")
    assert tower is not None
    assert (tower[1]["hidden_act"], tower[1]["layer_norm_eps"], tower[1]["num_hidden_layers"]) == (
        "gelu_pytorch_tanh",
        1e-6,
        27,
    )
