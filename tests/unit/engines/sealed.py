"""A sealed bundle of a few bytes, for any target: nothing in it runs."""

from __future__ import annotations

from pathlib import Path

from edgekit.bundle import FORMAT, Bundle, Manifest, open_bundle, sealing
from edgekit.recipe import recipe
from edgekit.target import Target
from tests.unit.quantize.fakes import SPEC


def sealed(out: Path, target: Target) -> Bundle:
    manifest = Manifest(
        format=FORMAT,
        edgekit="0",
        source="test",
        spec=SPEC,
        recipe=recipe("q4"),
        target=target,
        context=320,
        forced=(),
        files={},
    )
    with sealing(out, manifest) as folder:
        (folder / "graphs").mkdir()
        for name in ("vision", "projector", "decoder"):
            (folder / "graphs" / f"{name}.onnx").write_text(name)
    return open_bundle(out)
