"""Folders that hold no checkpoint, or hold it elsewhere or in a format that EdgeKit does not open."""

from __future__ import annotations

from pathlib import Path

from edgekit.checkpoint.source import Source
from edgekit.errors import CheckpointError

_GIVE = "Give the folder that holds config.json and the safetensors files."
_FORMATS = {
    ".gguf": "llama.cpp's GGUF",
    ".ggml": "llama.cpp's GGML",
    ".onnx": "ONNX, already exported",
    ".h5": "TensorFlow's HDF5",
    ".msgpack": "Flax's msgpack",
    ".npz": "NumPy's npz",
    ".distcp": "PyTorch's distributed checkpoints",
}
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
# What trainers leave beside weights, and is none.
_NO_WEIGHTS = ("training_args.bin", "optimizer.pt", "scheduler.pt", "scaler.pt")
_LFS = b"version https://git-lfs.github.com/spec/"


def check_is_folder(path: Path) -> None:
    """Raise :class:`CheckpointError` unless ``path`` is a folder."""
    if path.is_dir():
        return
    if not path.exists():
        raise CheckpointError(f"The checkpoint {path} does not exist", _GIVE)
    if path.suffix in _FORMATS:
        raise CheckpointError(
            f"{path} is a file in a format that EdgeKit does not open: {_FORMATS[path.suffix]}", _GIVE
        )
    raise CheckpointError(f"The checkpoint {path} is not a folder", _GIVE)


def empty(source: Source) -> CheckpointError | None:
    """Recognise a folder that holds nothing, or hidden files alone."""
    if all(name.startswith(".") for name in source.files()):
        return CheckpointError(f"{source.path} is empty: it has no config.json and no weights", _GIVE)
    return None


def bundle(source: Source) -> CheckpointError | None:
    """Recognise what ``edgekit build`` wrote."""
    if not {"manifest.json", "graphs"} <= source.files():
        return None
    return CheckpointError(
        f"{source.path} is a bundle, which was built from a checkpoint",
        "Give bundles to compile, check, profile or ask, and this command the checkpoint.",
    )


def elsewhere(source: Source) -> CheckpointError | None:
    """Recognise a folder around checkpoints: a hub's cache (snapshots/HASH) or a training run (checkpoint-500)."""
    if "config.json" in source.files():
        return None
    inner = sorted(str(at.parent.relative_to(source.path)) for at in _configs(source.path))
    if not inner:
        return None
    shown = ", ".join(inner[:5]) + (f" and {len(inner) - 5} more" if len(inner) > 5 else "")
    return CheckpointError(
        f"{source.path} has no config.json itself; folders in it have one: {shown}", "Give one of them."
    )


def foreign(source: Source) -> CheckpointError | None:
    """Recognise weights in another format, and none in safetensors."""
    files = sorted(source.files() - {*_NO_WEIGHTS})
    if any(name.endswith(".safetensors") for name in files):
        return None
    if pickle := next((name for name in files if name.endswith(_PICKLES)), None):
        return CheckpointError(
            f"{source.path} holds its weights as a pickle ({pickle}), which can run code when it is opened",
            "Convert it on a machine that you can lose: load it there with transformers and call "
            "model.save_pretrained(DIR, safe_serialization=True), then give EdgeKit that folder.",
        )
    if other := next((name for name in files if Path(name).suffix in _FORMATS), None):
        return CheckpointError(
            f"{source.path} holds its weights as {_FORMATS[Path(other).suffix]} ({other}), which EdgeKit does not open",
            "Give it the checkpoint that this was converted from, in safetensors.",
        )
    return None


def incomplete(source: Source) -> CheckpointError | None:
    """Recognise a folder without config.json, or with weights that git-lfs has not fetched:
    a file of some 130 bytes stands for each.
    """
    if not (source.path / "config.json").is_file():
        return CheckpointError(f"{source.path} has no config.json", _GIVE)
    for name in sorted(source.files()):
        if name.endswith(".safetensors") and _is_pointer(source.path / name):
            return CheckpointError(
                f"{source.path / name} is a pointer of Git LFS: the weights themselves were not fetched",
                f"Run 'git lfs install' and 'git lfs pull' in {source.path}, or fetch the files in another way.",
            )
    return None


def _is_pointer(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > 1024:
        return False
    with path.open("rb") as file:
        return file.read(len(_LFS)) == _LFS


def _configs(path: Path) -> list[Path]:
    return [*path.glob("*/config.json"), *path.glob("snapshots/*/config.json")]
