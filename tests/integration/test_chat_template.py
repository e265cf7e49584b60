"""A checkpoint's chat template on its way into a bundle, which needs no Jinja any more, and bundles from before it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgekit.bundle import MANIFEST, Bundle, open_bundle
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.target import target
from tests.chat_templates import SHAPES
from tests.checkpoints import write_checkpoint
from tests.edited import unsealed
from tests.unit.reads.test_chat_templates import CONVERSATIONS, rendered

SHAPE = SHAPES["LLaVA-OneVision (Hugging Face): ChatML with `<image>` before the line break"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("templates")
    write_checkpoint(folder / "checkpoint", "hf", "llama", "clip")
    (folder / "checkpoint" / "chat_template.jinja").write_text(SHAPE.text, encoding="utf-8")
    chosen = replace(target("cpu"), context=320)
    return open_bundle(build(folder / "checkpoint", chosen, recipe("q8"), folder / "bundle").bundle.path)


def test_a_bundle_keeps_what_the_template_writes(bundle: Bundle) -> None:
    for turns in CONVERSATIONS:
        assert write(bundle.manifest.spec.template, turns) == rendered(SHAPE, turns, parts=True)


def test_what_works_on_a_bundle_needs_no_jinja(bundle: Bundle, tmp_path: Path) -> None:
    Image.new("L", (40, 30), 90).save(tmp_path / "picture.png")
    commands = [
        ["ask", str(bundle.path), "Is it normal?", "--image", str(tmp_path / "picture.png"), "--max-tokens", "4"],
        ["check", str(bundle.path)],
        ["inspect", str(bundle.path)],
    ]
    script = (
        "import sys, json; sys.modules['jinja2'] = None\n"
        "from edgekit.cli.main import main\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    assert main(command) == 0, command\n"
        "import edgekit.profile.__main__, edgekit.evaluate, edgekit.report\n"
    )
    done = subprocess.run([sys.executable, "-c", script, json.dumps(commands)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_bundle_from_before_opens_and_means_the_same(bundle: Bundle) -> None:
    path = bundle.path / MANIFEST
    text = path.read_text(encoding="utf-8")
    document = unsealed(path)
    for field in ("pictured", "past", "trim", "reserved"):
        del document["spec"]["template"][field]
    for field in ("scale", "filter", "resized", "fill"):
        del document["spec"]["image"][field]
    try:
        path.write_text(json.dumps(document), encoding="utf-8")
        spec = open_bundle(bundle.path).manifest.spec
        old = spec.template
    finally:
        path.write_text(text, encoding="utf-8")
    plain = (
        f"{old.user.format('<image>Why?')}{old.opening}{old.reply.format(' a ')}{old.user.format('So?')}{old.opening}"
    )
    assert write(old, [Spoken("Why?", " a ", 1), Spoken("So?")]) == old.system + plain
    assert (spec.image.scale, spec.image.filter, spec.image.edge, spec.image.fill) == (
        1 / 255, "bicubic", spec.image.size, None,
    )  # fmt: skip
