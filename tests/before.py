"""What EdgeKit made before it was renovated: a small checkpoint, bundles of it, their bytes and their answers.

``python -m tests.before`` records it anew, into ``tests/data/before.tar.xz`` and ``before.json``: run it with the code
of the commit that is to be held against, and only where a change of bits is meant. Only commands are used, so that it
runs before and after.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.commands import run

DATA = Path(__file__).parent / "data"
TARGETS = Path(__file__).parent.parent / "targets"
ARCHIVE, RECORD = DATA / "before.tar.xz", DATA / "before.json"
BUNDLES = {"cpu": "q4", "orin": "q8"}
"""The bundles in the archive: targets, each with its recipe."""
RECIPES, GRAPHS = ("fp16", "q8", "q4"), ("cpu", "cuda", "orin")
"""Every spelling of every precision, hashed alone: recipes, and targets of each engine."""
QUESTIONS: dict[str, list[tuple[str, str]]] = {
    "cpu": [
        ("Which modality is this?", ""),
        ("a", ""),
        ("Why?", "00"),
        ("Who?", "01"),
        ("Which modality is this?", "02"),
        ("Why?", "03"),
    ],
    "orin": [
        ("a", ""),
        ("Is the lung clear?", "00"),
        ("Which modality is this?", "00"),
        ("Which modality is this?", "01"),
        ("Is the lung clear?", "03"),
    ],
}
"""Questions and golden pictures whose likeliest tokens lead clearly, so that every processor gives the same answers."""
PHANTOMS = 30
"""Questions about phantoms that the embedded model is asked."""
FIDELITY = "fidelity.json"
BY_PROCESSOR = ("golden.json", "golden.safetensors", FIDELITY)
"""Files of a bundle that hold what a processor computed in floating point: the same bits on the same one alone."""


def unpack(folder: Path) -> Path:
    """Unpack the archive into ``folder``; returns the folder that holds ``checkpoint`` and the bundles."""
    with tarfile.open(ARCHIVE) as archive:
        folder.mkdir(parents=True, exist_ok=True)
        archive.extractall(folder, filter="data")
    return folder


def here() -> dict[str, str]:
    """The processor and the libraries that bits depend on."""
    processor = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    lasting = [line for line in processor if line.startswith(("vendor_id", "cpu family", "model", "stepping", "flags"))]
    cpu = hashlib.sha256("\n".join(lasting).encode()).hexdigest()[:16]
    return {"cpu": cpu, **{name: importlib.metadata.version(name) for name in ("numpy", "onnx", "onnxruntime")}}


def hashes(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of every file in ``folder``, by its relative name; of a checkpoint's description without the keys
    that have come since."""
    return {path.relative_to(folder).as_posix(): _digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def fidelity(bundle: Path) -> dict[str, Any]:
    """A bundle's record of fidelity without the keys that have come since."""
    document: dict[str, Any] = json.loads((bundle / FIDELITY).read_text(encoding="utf-8"))
    for component in document["components"]:
        component.pop("gain", None)
    return document


def _digest(path: Path) -> str:
    return hashlib.sha256(_as_before(path)).hexdigest()


def _as_before(path: Path) -> bytes:
    if path.name not in ("edgekit.json", FIDELITY):
        return path.read_bytes()
    if path.name == FIDELITY:
        document = fidelity(path.parent)
    else:
        document = json.loads(path.read_text(encoding="utf-8"))
        assert not document["spec"]["template"].pop("system_reserved", [])
    return (json.dumps(document, indent=1) + "\n").encode()


def sealed(bundle: Path) -> dict[str, Any]:
    """A bundle's manifest, each file's SHA-256 in the place of its entry, without its seal and EdgeKit's version."""
    manifest: dict[str, Any] = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    files = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    files[FIDELITY] = _digest(bundle / FIDELITY)
    return {key: value for key, value in manifest.items() if key not in ("seal", "edgekit")} | {"files": files}


def answers(bundle: Path, target: str) -> list[dict[str, Any]]:
    """What ``edgekit ask`` says to :data:`QUESTIONS`, without times."""
    asked = []
    for question, picture in QUESTIONS[target]:
        image = ["--image", str(bundle / "golden" / f"{picture}.png")] if picture else []
        said = run("ask", str(bundle), question, *image, "--max-tokens", "6")
        kept = {key: said[key] for key in ("text", "tokens", "prompt_tokens", "reason")}
        asked.append({"question": question, "picture": picture, **kept})
    return asked


def phantom_answers(bundle: Path) -> list[list[str]]:
    """Questions about phantoms and what the embedded model's bundle answers."""
    return [
        [row["question"], row["answer"]] for row in run("evaluate", str(bundle), "--questions", str(PHANTOMS))["rows"]
    ]


def graphs(checkpoint: Path, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The hashes of the checkpoint quantized by every recipe, and of the graphs of that for every engine."""
    device = folder / "cuda.toml"
    orin = (TARGETS / "orin.toml").read_text(encoding="utf-8")
    device.write_text(
        orin.replace('name = "orin"', 'name = "cuda"').replace('"tensorrt"\n', '"onnxruntime-cuda"\n'), encoding="utf-8"
    )
    for recipe in RECIPES:
        smaller = folder / recipe
        run("quantize", str(checkpoint), "--recipe", recipe, "--out", str(smaller))
        yield recipe, hashes(smaller)
        for target in GRAPHS:
            out = folder / f"{recipe}-{target}"
            run("export", str(smaller), "--target", str(device) if target == "cuda" else target, "--out", str(out))
            yield out.name, hashes(out)


def main() -> None:
    """Record: write the checkpoint, build, ask, and put all of it into ``tests/data``."""
    from tests.checkpoints import write_checkpoint

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        checkpoint = root / "checkpoint"
        widths = {"hidden_size": 96, "intermediate_size": 136, "num_attention_heads": 3, "num_key_value_heads": 1}
        tower = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2}
        text = {**widths, "head_dim": 32, "max_position_embeddings": 192}
        write_checkpoint(checkpoint, dtype="float16", seed=1, text=text, vision=tower)
        _coarsen(checkpoint / "model.safetensors")
        record: dict[str, Any] = {"commit": _commit(), "made_on": here(), "bundles": {}, "answers": {}}
        for target, recipe in BUNDLES.items():
            out = root / target
            run("build", str(checkpoint), "--target", target, "--recipe", recipe, "--out", str(out))
            record["bundles"][target] = sealed(out)
            record["answers"][target] = answers(out, target)
        (compiled,) = (root / "cpu" / "engines").iterdir()
        record["fingerprint"] = compiled.name
        for target, recipe in BUNDLES.items():
            out = root / "embedded" / target
            run("build", "--target", target, "--recipe", recipe, "--out", str(out))
            record["bundles"][f"embedded-{target}"] = sealed(out)
        record["phantoms"] = phantom_answers(root / "embedded" / "cpu")
        (root / "graphs").mkdir()
        record["graphs"] = dict(graphs(checkpoint, root / "graphs"))
        with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
            for folder in ("checkpoint", *BUNDLES):
                archive.add(root / folder, folder, filter=_without_engines)
        RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _coarsen(weights: Path) -> None:
    """Round weights to sixteenths: what is committed then takes a third of the room."""
    import torch
    from safetensors.torch import load_file, save_file

    tensors = {key: (torch.round(value.float() * 16) / 16).to(value.dtype) for key, value in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})


def _without_engines(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """What is this machine's own does not travel; nor does who made it, and when."""
    member.uid, member.gid, member.uname, member.gname, member.mtime = 0, 0, "", "", 0
    return None if "engines" in Path(member.name).parts else member


def _commit() -> str:
    import edgekit

    git = ["git", "-C", str(Path(edgekit.__file__).parent), "rev-parse", "HEAD"]
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
