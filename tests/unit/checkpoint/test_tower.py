"""Which tower a checkpoint means, and how it computes: known by a published name, said, or asked for; never guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.checkpoint import stock
from edgekit.checkpoint.architectures import find_tower
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.stock import published
from edgekit.errors import CheckpointError
from tests.checkpoints import Layout, Tiny, write_checkpoint, write_tower

LAION = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
TINY = {"hidden_size": 72, "intermediate_size": 100, "num_hidden_layers": 3, "num_attention_heads": 3}
SIZES = {"image_size": 28, "patch_size": 7}


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Layout], Tiny]:
    """The checkpoint of a layout, made once."""
    folder = tmp_path_factory.mktemp("towers")
    return cache(lambda layout: write_checkpoint(folder / layout, layout))


@pytest.fixture
def changed(once: Callable[[Layout], Tiny], tmp_path: Path) -> Callable[..., Path]:
    """``changed(layout, key=value)``: that checkpoint with another config.json; None removes a key."""

    def change(layout: Layout, **changes: Any) -> Path:
        path = tmp_path / "model"
        path.mkdir()
        for file in once(layout).path.iterdir():
            (path / file.name).symlink_to(file)
        config = json.loads((path / "config.json").read_text()) | changes
        (path / "config.json").unlink()
        (path / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
        return path

    return change


@pytest.fixture
def named(changed: Callable[..., Path]) -> Callable[..., Path]:
    """``named(name, layout)``: a tower, and no vision_config, as LLaVA's own code writes it: only a name."""

    def name_it(name: str | None, layout: Layout = "llava") -> Path:
        key = "vision_model_name_or_path" if layout == "factory" else "mm_vision_tower"
        return changed(layout, vision_config=None, **{key: name})

    return name_it


@pytest.fixture
def tiny_clip(monkeypatch: pytest.MonkeyPatch) -> str:
    """A published name that means the tiny tower."""
    monkeypatch.setitem(stock._TOWERS, "openai/clip-tiny", {**stock._CLIP, **TINY, **SIZES})
    return "openai/clip-tiny"


@pytest.mark.parametrize("layout", ["llava", "tinyllava", "factory"])
def test_a_published_name_says_how_the_tower_computes(
    named: Callable[..., Path], once: Callable[[Layout], Tiny], layout: Layout, tiny_clip: str
) -> None:
    spec, theirs = open_checkpoint(named(tiny_clip, layout)).spec, once(layout).model.config.vision_config
    assert (spec.vision.activation, spec.vision.heads, spec.vision.layers) == ("quick_gelu", 3, 2)
    assert (theirs.hidden_act, theirs.layer_norm_eps) == ("quick_gelu", spec.vision.norm_eps)
    assert not spec.notes


@pytest.mark.parametrize(
    "name", [LAION, "laion/clip-vit-large-patch14", "me/clip-tiny", "clip-tiny", "a.b.c", "", None]
)
@pytest.mark.parametrize("layout", ["llava", "factory"])
@pytest.mark.usefixtures("tiny_clip")
def test_any_other_name_is_asked_for(
    named: Callable[..., Path], once: Callable[[Layout], Tiny], tmp_path: Path, layout: Layout, name: str | None
) -> None:
    """LAION's compute with gelu, OpenAI's of the same shapes with quick_gelu: the tensors don't tell."""
    path = named(name, layout)
    with pytest.raises(CheckpointError, match="nothing says with which activation") as error:
        open_checkpoint(path)
    assert "--vision DIR" in error.value.hint
    assert (f"the tower {name!r}" if name else "without a name") in error.value.message
    folder = write_tower(tmp_path / "tower", once(layout))
    config = json.loads((folder / "config.json").read_text()) | {"hidden_act": "gelu"}
    (folder / "config.json").write_text(json.dumps(config))
    spec = open_checkpoint(path, folder).spec
    assert spec.vision.activation == "gelu"
    assert any(f"The vision tower is {folder}'s" in note for note in spec.notes)


@pytest.mark.parametrize(
    "name", ["/data/clip-tiny", "./openai/clip-tiny/", "../clip-tiny", "/x/models--openai--clip-tiny/snapshots/0a1b2c"]
)
def test_a_path_that_ends_in_a_published_name_is_taken_for_it_and_said(
    named: Callable[..., Path], name: str, tiny_clip: str
) -> None:
    spec = open_checkpoint(named(name)).spec
    assert spec.vision.activation == "quick_gelu"
    assert any(f"taken for {tiny_clip}, by the name of its folder" in note for note in spec.notes)


@pytest.mark.parametrize(
    "name",
    [
        f"/data/{LAION}",
        "/data/clip-tiny-finetuned",
        "/clip-tiny/laion",
        "/x/models--laion--clip-tiny/snapshots/0",
        "/data",
    ],
)
@pytest.mark.usefixtures("tiny_clip")
def test_other_paths_say_nothing(named: Callable[..., Path], name: str) -> None:
    path = named(name)
    with pytest.raises(CheckpointError, match="nothing says"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    "changes", [{"hidden_size": 96}, {"patch_size": 14}, {"image_size": 35}, {"intermediate_size": 144}]
)
def test_a_name_that_the_tensors_speak_against_is_refused(
    named: Callable[..., Path], changes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stock._TOWERS, "openai/clip-tiny", {**stock._CLIP, **TINY, **SIZES, **changes})
    path = named("openai/clip-tiny")
    with pytest.raises(CheckpointError, match=r"names the tower 'openai/clip-tiny', but .* of shape"):
        open_checkpoint(path)


def test_a_siglip_under_a_clips_name_is_refused(tmp_path: Path, tiny_clip: str) -> None:
    write_checkpoint(tmp_path, "llava", tower="siglip", config={"vision_config": None, "mm_vision_tower": tiny_clip})
    with pytest.raises(CheckpointError, match="names the tower"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("name", sorted(stock._TOWERS))
def test_published_towers_have_transformers_defaults_where_nothing_was_set(name: str) -> None:
    """Their config.json leaves out what is the class's default, activation and epsilon among it."""
    import transformers

    tower = published(name)
    assert tower is not None
    assert tower[0] == name
    values = tower[1]
    classes = {
        "clip_vision_model": transformers.CLIPVisionConfig,
        "siglip_vision_model": transformers.SiglipVisionConfig,
    }
    default = classes[values["model_type"]]()
    assert (values["hidden_act"], values["layer_norm_eps"]) == (default.hidden_act, default.layer_norm_eps)
    spec = find_tower(values["model_type"], "x").read(Fields(values, "x"), -2, True)
    assert f"patch{spec.patch}" in name or "TinyLLaVA" in name
    assert name.endswith(str(spec.image_size)) or spec.image_size == (384 if "TinyLLaVA" in name else 224)


def test_a_described_tower_needs_its_kind(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava", config={"vision_config": {**TINY, **SIZES}})
    with pytest.raises(CheckpointError, match="'model_type' in vision_config"):
        open_checkpoint(tmp_path)


def test_a_folder_of_a_tower_needs_its_kind(tmp_path: Path) -> None:
    tiny = write_checkpoint(tmp_path / "model", "llava")
    folder = write_tower(tmp_path / "tower", tiny)
    (folder / "config.json").write_text(json.dumps(TINY | SIZES))
    with pytest.raises(CheckpointError, match=r"'model_type' in .*tower/config\.json should be a text, but is missing"):
        open_checkpoint(tmp_path / "model", folder)


KEYS: list[tuple[Layout, str]] = [
    ("hf", "vision_feature_layer"),
    ("hf-5", "vision_feature_layer"),
    ("llava", "mm_vision_select_layer"),
    ("factory", "vision_feature_layer"),
]


@pytest.mark.parametrize("select", [[-2], [-1], [2], -3])
@pytest.mark.parametrize(("layout", "key"), KEYS)
def test_a_list_of_one_layer_is_that_layer(changed: Callable[..., Path], layout: Layout, key: str, select: Any) -> None:
    layer = select[0] if isinstance(select, list) else select
    assert open_checkpoint(changed(layout, **{key: select})).spec.vision.layers == range(4)[layer]


@pytest.mark.parametrize("select", [[-2], [1], -1, 3])
@pytest.mark.parametrize(("layout", "strategy"), [("hf-5", "default"), ("hf-5", "full"), ("hf", "full")])
def test_the_selected_rows_are_those_that_transformers_takes(
    changed: Callable[..., Path], layout: Layout, select: Any, strategy: str
) -> None:
    import torch
    import transformers

    path = changed(layout, vision_feature_layer=select, vision_feature_select_strategy=strategy)
    model = transformers.LlavaForConditionalGeneration.from_pretrained(path, dtype="float32")
    with torch.no_grad():
        theirs = model.get_image_features(torch.zeros((1, 3, 28, 28)), return_dict=True).pooler_output
        tower = model.model.vision_tower(torch.zeros((1, 3, 28, 28)), output_hidden_states=True).hidden_states
        spec = open_checkpoint(path).spec
        rows = tower[spec.vision.layers][:, int(spec.vision.drop_cls) :]
        ours = model.model.multi_modal_projector(rows)
    np.testing.assert_array_equal(ours.numpy(), torch.stack(list(theirs)).numpy())
    assert spec.tokens_per_image == ours.shape[1]


@pytest.mark.parametrize("select", [[-2, -5], [], ["last"], "[-2]", 0, [0]])
@pytest.mark.parametrize(("layout", "key"), KEYS)
def test_several_layers_are_refused_in_words(
    changed: Callable[..., Path], layout: Layout, key: str, select: Any
) -> None:
    path = changed(layout, **{key: select})
    with pytest.raises(CheckpointError, match=r"several layers are not built|whole number|reads layer 0"):
        open_checkpoint(path)


def test_llavas_own_code_has_no_default_layer_either(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava", config={"mm_vision_select_layer": None})
    with pytest.raises(CheckpointError, match=r"'mm_vision_select_layer' .* is missing"):
        open_checkpoint(tmp_path)
