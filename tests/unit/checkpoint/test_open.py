"""Every layout opens to the same tensors under the same names, described as transformers describes them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.packed import Tensor
from edgekit.checkpoint.spec import RopeSpec
from edgekit.errors import CheckpointError, EdgeKitError
from tests.checkpoints import LAYOUTS, DecoderKind, Layout, Tiny, TowerKind, write_checkpoint, write_tower

# What each canonical stem is called in transformers' own modules; the layouts are the writer's business.
ORACLE = {
    "vision.patch.": "model.vision_tower.embeddings.patch_embedding.",
    "vision.cls": "model.vision_tower.embeddings.class_embedding",
    "vision.position.": "model.vision_tower.embeddings.position_embedding.",
    "vision.pre_norm.": "model.vision_tower.pre_layrnorm.",
    "vision.layers.": "model.vision_tower.encoder.layers.",
    "decoder.embedding.": "model.language_model.embed_tokens.",
    "decoder.norm.": "model.language_model.norm.",
    "decoder.layers.": "model.language_model.layers.",
    "decoder.lm_head.": "lm_head.",
}
PARTS = {
    ".norm1.": ".layer_norm1.",
    ".norm2.": ".layer_norm2.",
    ".attn.o.": ".self_attn.out_proj.",
    ".mlp.up.": ".mlp.fc1.",
    ".mlp.down.": ".mlp.fc2.",
}
LLAMA_PARTS = {
    ".norm1.": ".input_layernorm.",
    ".norm2.": ".post_attention_layernorm.",
    ".attn.o.": ".self_attn.o_proj.",
    ".mlp.up.": ".mlp.up_proj.",
    ".mlp.gate.": ".mlp.gate_proj.",
    ".mlp.down.": ".mlp.down_proj.",
}
PHI_PARTS = PARTS | {
    ".norm1.": ".input_layernorm.",
    ".attn.o.": ".self_attn.dense.",
    "model.norm.": "model.final_layernorm.",
}


def oracle_name(name: str, decoder: DecoderKind) -> str:
    if name.startswith("projector."):
        return name.replace("projector.0", "model.multi_modal_projector.linear_1").replace(
            "projector.1", "model.multi_modal_projector.linear_2"
        )
    parts = PARTS if name.startswith("vision.") else PHI_PARTS if decoder == "phi" else LLAMA_PARTS
    for ours, theirs in ORACLE.items():
        if name.startswith(ours):
            name = theirs + name.removeprefix(ours)
            break
    for ours, theirs in parts.items():
        name = name.replace(ours, theirs)
    for letter in "qkv":
        name = name.replace(f".attn.{letter}.", f".self_attn.{letter}_proj.")
    return name


def values(tensor: Any) -> Any:
    return tensor.rows(0, tensor.shape[0]).astype(np.float32)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def tiny(folder: Path) -> Tiny:
    return write_checkpoint(folder / "llava", "llava", "mistral", "clip")


@pytest.fixture
def edited(tiny: Tiny, tmp_path: Path) -> Any:
    """A copy of the tiny checkpoint whose config.json is changed: edited(key=value, …), None removes a key."""

    def edit(**changes: Any) -> Path:
        for file in tiny.path.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        config = json.loads((tmp_path / "config.json").read_text()) | changes
        (tmp_path / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))
        return tmp_path

    return edit


@pytest.mark.parametrize("tower", ["clip", "siglip"])
@pytest.mark.parametrize("decoder", ["llama", "mistral", "phi"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_opens_to_the_oracles_tensors(
    tmp_path: Path, layout: Layout, decoder: DecoderKind, tower: TowerKind
) -> None:
    written = write_checkpoint(tmp_path, layout, decoder, tower, shards=2)
    checkpoint = open_checkpoint(tmp_path)
    state = written.model.state_dict()
    used = {oracle_name(name, decoder) for name in checkpoint.tensors}
    for name, tensor in checkpoint.tensors.items():
        np.testing.assert_array_equal(values(tensor), state[oracle_name(name, decoder)].numpy(), err_msg=name)
    ignored = {key for key in state.keys() - used if ".layers.2." not in key and "post_layernorm" not in key}
    assert all(".head." in key or "position_ids" in key for key in ignored), ignored
    assert checkpoint.bytes == sum(file.stat().st_size for file in tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize("tower", ["clip", "siglip"])
@pytest.mark.parametrize("decoder", ["llama", "mistral", "phi"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_description_is_transformers(
    tmp_path: Path, layout: Layout, decoder: DecoderKind, tower: TowerKind
) -> None:
    written = write_checkpoint(tmp_path, layout, decoder, tower)
    spec = open_checkpoint(tmp_path).spec
    text, vision = written.model.config.text_config, written.model.config.vision_config
    ours, theirs = spec.decoder, written.model.model.language_model
    assert ours.kind == decoder == text.model_type
    assert (ours.hidden, ours.layers, ours.ff) == (text.hidden_size, len(theirs.layers), text.intermediate_size)
    assert (ours.vocab, ours.context) == (text.vocab_size, text.max_position_embeddings)
    assert ours.head_dim == theirs.layers[0].self_attn.head_dim
    assert ours.rope.dim == 2 * theirs.rotary_emb.inv_freq.numel()
    angles = ours.rope.theta ** -(np.arange(0, ours.rope.dim, 2) / ours.rope.dim)
    np.testing.assert_allclose(angles, theirs.rotary_emb.inv_freq.numpy(), rtol=1e-6)
    norm = theirs.layers[0].input_layernorm
    assert ours.norm_eps == (norm.eps if decoder == "phi" else norm.variance_epsilon)
    assert (ours.norm, ours.gated, ours.parallel) == (
        ("layer", False, True) if decoder == "phi" else ("rms", True, False)
    )
    features = written.image_features(np.zeros((1, 3, 28, 28), np.float32))
    assert features.shape[1:] == (spec.tokens_per_image, ours.hidden)
    assert (spec.vision.kind, spec.vision.heads) == (tower, vision.num_attention_heads)
    assert spec.vision.layers == vision.num_hidden_layers - 1
    assert spec.vision.norm_eps == vision.layer_norm_eps
    assert spec.vision.activation == ("quick_gelu" if tower == "clip" else "gelu_tanh")
    assert spec.projector.widths == (vision.hidden_size, ours.hidden, ours.hidden)


@pytest.mark.parametrize("layer", [-1, -2, -3, 1, 2, 3])
def test_layers_behind_the_selected_one_are_dropped(tmp_path: Path, layer: int) -> None:
    write_checkpoint(tmp_path, "hf", config={"vision_feature_layer": layer})
    checkpoint = open_checkpoint(tmp_path)
    kept = range(4)[layer]
    assert checkpoint.spec.vision.layers == kept
    assert sum(name.startswith("vision.layers") and name.endswith("norm1.bias") for name in checkpoint.tensors) == kept


@pytest.mark.parametrize("layer", [0, -4, 4, [-2, -3], "last"])
def test_a_layer_that_the_tower_lacks_is_refused(tmp_path: Path, layer: Any) -> None:
    write_checkpoint(tmp_path, "hf", config={"vision_feature_layer": layer})
    with pytest.raises(CheckpointError, match="layer"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize(("feature", "rows"), [("patch", 16), ("cls_patch", 17)])
def test_the_class_token_is_kept_or_dropped(edited: Any, feature: str, rows: int) -> None:
    assert open_checkpoint(edited(mm_vision_select_feature=feature)).spec.tokens_per_image == rows


@pytest.mark.parametrize("kind", ["linear", "mlp1x_gelu", "mlp2x_gelu", "mlp3x_gelu"])
@pytest.mark.parametrize("layout", ["llava", "factory"])
def test_projectors_of_any_depth(tmp_path: Path, layout: Layout, kind: str) -> None:
    written = write_checkpoint(tmp_path, layout, projector=kind)
    checkpoint = open_checkpoint(tmp_path)
    linears = [module for module in written.model.model.multi_modal_projector.modules() if hasattr(module, "weight")]
    assert len(checkpoint.spec.projector.widths) == len(linears) + 1
    for i, linear in enumerate(linears):
        np.testing.assert_array_equal(values(checkpoint.tensors[f"projector.{i}.weight"]), linear.weight.detach())
        np.testing.assert_array_equal(values(checkpoint.tensors[f"projector.{i}.bias"]), linear.bias.detach())


LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 5e5,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 256,
}


@pytest.mark.parametrize("layout", ["hf", "hf-5", "llava", "factory"])
@pytest.mark.parametrize(
    ("rope", "expected"),
    [
        ({"rope_type": "default", "rope_theta": 1e6}, RopeSpec(theta=1e6, dim=48)),
        (
            {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0},
            RopeSpec(theta=1e4, dim=48, scaling="linear", factor=2.0),
        ),
        (
            LLAMA3,
            RopeSpec(
                theta=5e5,
                dim=48,
                scaling="llama3",
                factor=8.0,
                low_freq_factor=1.0,
                high_freq_factor=4.0,
                original_context=256,
            ),
        ),
    ],
)
def test_rope_is_read_in_both_spellings(
    tmp_path: Path, layout: Layout, rope: dict[str, Any], expected: RopeSpec
) -> None:
    write_checkpoint(tmp_path, layout, text={"rope_parameters": rope})
    assert open_checkpoint(tmp_path).spec.decoder.rope == expected


@pytest.mark.parametrize("layout", ["hf", "hf-5", "tinyllava"])
def test_the_rotated_part_of_a_head_is_read_in_both_spellings(tmp_path: Path, layout: Layout) -> None:
    rope = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.75}
    written = write_checkpoint(tmp_path, layout, "phi", text={"rope_parameters": rope})
    dim = 2 * written.model.model.language_model.rotary_emb.inv_freq.numel()
    assert open_checkpoint(tmp_path).spec.decoder.rope.dim == dim == 24


@pytest.mark.parametrize("kind", ["yarn", "longrope", "nonsense"])
@pytest.mark.parametrize("key", ["type", "rope_type"])
def test_other_rope_rules_are_refused(edited: Any, key: str, kind: str) -> None:
    with pytest.raises(CheckpointError, match=kind) as error:
        open_checkpoint(edited(rope_scaling={key: kind, "factor": 2.0}))
    assert "llama3" in error.value.hint


def test_a_vocabulary_may_be_padded_but_not_too_small(edited: Any, tiny: Tiny) -> None:
    assert open_checkpoint(tiny.path).spec.decoder.vocab == 320
    path = edited(vocab_size=300)
    with pytest.raises(CheckpointError, match=r"300|tokenizer"):
        open_checkpoint(path)


def test_the_tower_comes_from_another_folder_when_asked(tmp_path: Path, tiny: Tiny) -> None:
    other = write_checkpoint(tmp_path / "other", "llava", "mistral", "clip", seed=1)
    folder = write_tower(tmp_path / "tower", other)
    own, replaced = open_checkpoint(tiny.path), open_checkpoint(tiny.path, folder)
    key = "vision.layers.1.mlp.up.weight"
    expected = other.model.model.vision_tower.encoder.layers[1].mlp.fc1.weight.detach()
    np.testing.assert_array_equal(values(replaced.tensors[key]), expected)
    assert not np.array_equal(values(own.tensors[key]), expected), "the checkpoint's own tensors win by default"
    assert replaced.spec.vision == own.spec.vision
    name = "projector.0.weight"
    np.testing.assert_array_equal(values(replaced.tensors[name]), values(own.tensors[name]))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("tower", ["clip", "siglip"])
def test_a_checkpoint_without_a_tower_needs_one(tmp_path: Path, tower: TowerKind, whole: bool) -> None:
    written = write_checkpoint(
        tmp_path / "x", "llava", tower=tower, with_vision=False, config={"mm_vision_tower": "openai/some-tower"}
    )
    with pytest.raises(CheckpointError, match=r"does not contain its vision tower \(openai/some-tower\)") as error:
        open_checkpoint(tmp_path / "x")
    assert "--vision DIR" in error.value.hint
    folder = write_tower(tmp_path / "tower", written)
    if whole:  # a whole CLIP or SigLIP, as the hub has them: the tower's config is one part of it
        config = json.loads((folder / "config.json").read_text())
        config.pop("model_type")
        (folder / "config.json").write_text(json.dumps({"model_type": tower, "vision_config": config}))
    checkpoint = open_checkpoint(tmp_path / "x", folder)
    assert checkpoint.spec.vision.kind == tower
    expected = written.model.model.vision_tower.embeddings.patch_embedding.weight.detach()
    np.testing.assert_array_equal(values(checkpoint.tensors["vision.patch.weight"]), expected)


def test_a_folder_without_a_tower_is_no_vision(tmp_path: Path, tiny: Tiny) -> None:
    save_file({"x": np.ones(1, np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="does not contain a vision tower"):
        open_checkpoint(tiny.path, tmp_path)


def test_a_shape_that_the_config_does_not_ask_for_is_named(edited: Any) -> None:
    with pytest.raises(CheckpointError, match=r"model\.layers\.0\.mlp\.gate_proj\.weight.*\[200, 288\].*\[208, 288\]"):
        open_checkpoint(edited(intermediate_size=208))


def test_missing_tensors_are_listed(tiny: Tiny, tmp_path: Path) -> None:
    for file in tiny.path.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tiny.path / "model.safetensors")
    lost = {name for name in tensors if "layers.1.mlp" in name and "vision" not in name}
    save_file({k: v for k, v in tensors.items() if k not in lost}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"lacks 3 of \d+ tensors: model.layers.1.mlp.gate_proj.weight"):
        open_checkpoint(tmp_path)


def test_integer_weights_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    for file in tiny.path.glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tiny.path / "model.safetensors")
    save_file(tensors | {"model.norm.weight": np.ones(288, np.int8)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"quantized weights, int8 \(model.norm.weight\)"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("kind", ["qwen2_vl", "llava_next", "mllama", ""])
def test_an_unknown_model_type_says_what_is_known(edited: Any, kind: str) -> None:
    with pytest.raises(CheckpointError, match=f"'{kind}'") as error:
        open_checkpoint(edited(model_type=kind))
    for word in ("llava_mistral", "tinyllava", "Hugging Face"):
        assert word in error.value.hint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mm_projector_type": "resampler"}, "resampler"),
        ({"mm_projector_type": "identity"}, "identity"),
        ({"image_aspect_ratio": "anyres"}, "anyres"),
        ({"hidden_act": "relu"}, "hidden_act"),
        ({"num_key_value_heads": 4}, "no multiple"),
        ({"num_hidden_layers": 10**9}, "1000000000 layers"),
        ({"num_attention_heads": 0}, "num_attention_heads"),
        ({"hidden_size": "large"}, "hidden_size"),
        ({"rms_norm_eps": -1}, "rms_norm_eps"),
        ({"rope_theta": True}, "rope_theta"),
        ({"vision_config": {"model_type": "dinov2"}}, "dinov2"),
        ({"vision_config": 3}, "vision_config"),
    ],
)
def test_a_config_that_cannot_be_built_is_one_clear_error(edited: Any, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        open_checkpoint(edited(**changes))
    assert error.value.hint


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "does not exist"),
        ("file", "is not a folder"),
        (".", "no config"),
        ("x" * 300, r"can't be read|does not exist"),
    ],
)
def test_a_path_that_holds_no_checkpoint(tmp_path: Path, path: str, message: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path / path)


def test_start_and_stop_tokens_come_from_the_checkpoint(edited: Any, tiny: Tiny) -> None:
    spec = open_checkpoint(tiny.path).spec
    assert (spec.bos_id, spec.stop_ids) == (1, (2,))
    path = edited()
    (path / "generation_config.json").write_text(json.dumps({"eos_token_id": [7, 2, 999999, -1, "x"]}))
    assert open_checkpoint(path).spec.stop_ids == (2, 7), "in the vocabulary, and the template's </s> besides"


def test_opening_twice_gives_equal_descriptions(tiny: Tiny) -> None:
    first, second = open_checkpoint(tiny.path), open_checkpoint(tiny.path)
    assert first.spec == second.spec
    assert hash(replace(first.spec)) == hash(second.spec)
    tensor: Tensor = first.tensors["decoder.norm.weight"]  # type: ignore[assignment]
    assert tensor.rows(0, 2).shape == (2,)


JSON: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just({}), st.just([])
)


@settings(max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("layout", ["hf-5", "llava", "factory"])
def test_a_mutated_config_raises_nothing_but_our_own_error(folder: Path, layout: Layout, data: st.DataObject) -> None:
    path = folder / f"mutated-{layout}"
    if not path.exists():
        write_checkpoint(path, layout)
    original = (path / "config.json").read_text()
    files = ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer_config.json"]
    file = path / data.draw(st.sampled_from([*files, "config.json", "config.json"]))
    before = file.read_text()
    try:
        file.write_text(json.dumps(mutated(json.loads(before), data)))
        spec = open_checkpoint(path).spec
        assert spec.tokens_per_image > 0
    except EdgeKitError as error:
        assert error.hint
    finally:
        file.write_text(before)
        assert (path / "config.json").read_text() == original


def mutated(config: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """``config`` with one value somewhere in it replaced."""
    tables = [config, *(value for value in config.values() if isinstance(value, dict))]
    table = data.draw(st.sampled_from(tables))
    table[data.draw(st.sampled_from(sorted(table)))] = data.draw(JSON)
    return config
