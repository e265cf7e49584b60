"""A folder that holds no weights that EdgeKit reads is named as what it is: pickles, other formats, a folder around."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.checkpoint.open import open_checkpoint
from tests.checkpoints import Tiny
from tests.unit.checkpoint.forms.case import copied, refused


@pytest.mark.parametrize("file", ["pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "model.pt", "x.pth"])
def test_a_pickle_is_refused_with_the_way_to_convert_it(whole: Tiny, tmp_path: Path, file: str) -> None:
    path = copied(whole, tmp_path, leave=("model.safetensors",))
    (path / file).write_bytes(b"\x80\x04.")
    refused(path, f"as a pickle ({file})", "save_pretrained")


@pytest.mark.parametrize(
    ("file", "shown"),
    [("ggml-model-q4_0.gguf", "GGUF"), ("tf_model.h5", "HDF5"), ("flax_model.msgpack", "Flax"), ("a.onnx", "ONNX")],
)
def test_weights_in_another_format_are_named(tmp_path: Path, file: str, shown: str) -> None:
    (tmp_path / file).write_bytes(b"x")
    refused(tmp_path, f"{shown}", "converted from")


def test_a_file_in_another_format_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    refused(tmp_path / "model.gguf", "llama.cpp's GGUF", "config.json and the safetensors")


@pytest.mark.parametrize("inner", ["snapshots/0123456789abcdef", "checkpoint-500", "llava-med"])
def test_a_folder_around_the_checkpoint_says_where_it_lies(whole: Tiny, tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).parent.mkdir(exist_ok=True)
    copied(whole, tmp_path / inner)
    refused(tmp_path, inner, "Give one of them")
    assert open_checkpoint(tmp_path / inner).path == tmp_path / inner


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    refused(tmp_path, "is empty", "config.json")


def test_a_bundle_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    refused(tmp_path, "is a bundle", "the checkpoint")


def test_weights_that_git_lfs_did_not_fetch(whole: Tiny, tmp_path: Path) -> None:
    path = copied(whole, tmp_path)
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4943162336\n"
    (path / "model.safetensors").write_text(pointer)
    refused(path, "pointer of Git LFS", "git lfs pull")
