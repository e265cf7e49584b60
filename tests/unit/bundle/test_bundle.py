"""Sealing and opening: whole or not at all, and nothing changed goes unnoticed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgekit.bundle import MANIFEST, open_bundle, sealing, verify
from edgekit.errors import BundleError, EdgeKitError
from tests.edited import edit, unsealed
from tests.specs import SMALL, manifest


def seal(out: Path, text: str = "graph") -> Path:
    with sealing(out, manifest()) as folder:
        (folder / "graphs").mkdir()
        (folder / "graphs" / "decoder.onnx").write_text(text)
        (folder / "tokenizer.json").write_text("{}")
    return out


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(".")]


def test_a_sealed_bundle_opens_and_verifies(tmp_path: Path) -> None:
    bundle = open_bundle(seal(tmp_path / "out"))
    assert bundle.manifest.spec == SMALL
    assert set(bundle.manifest.files) == {"graphs/decoder.onnx", "tokenizer.json"}
    seen: list[tuple[int, int]] = []
    verify(bundle, lambda stage, done, total: seen.append((done, total)))
    assert seen[-1] == (bundle.bytes, bundle.bytes)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failed_build_leaves_the_old_bundle_and_nothing_else(tmp_path: Path, failure: type[BaseException]) -> None:
    seal(tmp_path / "out", "old")
    with pytest.raises(failure), sealing(tmp_path / "out", manifest()) as folder:
        (folder / "half").write_text("half")
        raise failure
    assert (open_bundle(tmp_path / "out").path / "graphs/decoder.onnx").read_text() == "old"
    assert not leftovers(tmp_path)


def test_a_new_bundle_takes_the_old_ones_place(tmp_path: Path) -> None:
    first = open_bundle(seal(tmp_path / "out", "old")).digest
    second = open_bundle(seal(tmp_path / "out", "new")).digest
    assert first != second
    assert not leftovers(tmp_path)


def test_other_peoples_folders_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="not a bundle"), sealing(tmp_path, manifest()):
        pass
    assert (tmp_path / "thesis.txt").exists()


def test_a_flipped_bit_is_found_and_named(tmp_path: Path) -> None:
    path = seal(tmp_path / "out")
    file = path / "graphs/decoder.onnx"
    data = bytearray(file.read_bytes())
    data[2] ^= 1
    file.write_bytes(data)
    with pytest.raises(BundleError, match=r"decoder\.onnx: the contents differ"):
        verify(open_bundle(path))


def test_a_missing_or_cut_file_is_found_at_once(tmp_path: Path) -> None:
    path = seal(tmp_path / "out")
    (path / "graphs/decoder.onnx").write_text("gra")
    with pytest.raises(BundleError, match="has 3 bytes, not 5"):
        open_bundle(path)
    (path / "graphs/decoder.onnx").unlink()
    with pytest.raises(BundleError, match="is missing"):
        open_bundle(path)
    (path / "graphs/decoder.onnx").mkdir()
    with pytest.raises(BundleError, match="is not a file"):
        open_bundle(path)


def test_a_file_that_may_not_be_read_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = seal(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda file, mode: False)
        with pytest.raises(BundleError, match=r"decoder\.onnx can't be read: Permission denied"):
            open_bundle(path)
    look = Path.stat

    def refuse(self: Path, **options: Any) -> os.stat_result:
        if self.name == "decoder.onnx":
            raise PermissionError(13, "Permission denied")
        return look(self, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(BundleError, match=r"decoder\.onnx can't be read: Permission denied"):
        open_bundle(path)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "graphs/../../secret", "", "link/secret", "a\\b"])
def test_no_path_leaves_the_bundle(tmp_path: Path, name: str) -> None:
    path = seal(tmp_path / "out")
    (tmp_path / "secret").write_text("abc")
    (path / "link").symlink_to(tmp_path)
    edit(path / MANIFEST, lambda data: data["files"].update({name: {"bytes": 3, "sha256": "0" * 64}}))
    with pytest.raises(BundleError, match="outside the bundle"):
        open_bundle(path)


def test_what_is_no_bundle_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a bundle"):
        open_bundle(tmp_path / "nowhere")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BundleError) as caught:
        open_bundle(tmp_path)
    assert "edgekit build" in caught.value.hint


@pytest.mark.parametrize("put", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_no_manifest(tmp_path: Path, put: Callable[[Path], None]) -> None:
    put(tmp_path / MANIFEST)
    with pytest.raises(BundleError, match="is not a bundle"):
        open_bundle(tmp_path)


def test_another_format_is_refused_with_its_number(tmp_path: Path) -> None:
    path = seal(tmp_path / "out")
    edit(path / MANIFEST, lambda data: data.update(format=99))
    with pytest.raises(BundleError, match="format 99"):
        open_bundle(path)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_manifest_raises_nothing_but_our_errors(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "out"
    if not path.exists():
        seal(path)
        (tmp_path / "good").write_text(json.dumps(unsealed(path / MANIFEST), indent=1))  # a seal would find all of it
    text = bytearray((tmp_path / "good").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=4))
    (path / MANIFEST).write_bytes(text)
    try:
        open_bundle(path)
    except EdgeKitError as error:
        assert error.hint


HOSTILE = [0, -1, 2**31 - 1, 2**31, 10**12, 10**30, 0.0, 1e300, True, None, "", "{}{}", "{0.__class__}", "{:999999999}"]


def leaves(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, item in items:
        yield from leaves(item, *path, key)
    if not isinstance(value, (dict, list)):
        yield path


@settings(max_examples=400)
@given(data=st.data())
def test_what_opens_can_be_divided_allocated_and_written(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile"
    if not path.exists():
        seal(path)
        (path / "good").write_bytes((path / MANIFEST).read_bytes())
    document = unsealed(path / "good")
    for _ in range(data.draw(st.integers(1, 3))):
        *above, last = data.draw(st.sampled_from(list(leaves(document))))
        at = document
        for key in above:
            at = at[key]
        at[last] = data.draw(st.sampled_from(HOSTILE))
    (path / MANIFEST).write_text(json.dumps(document))
    try:
        opened = open_bundle(path).manifest
    except BundleError as error:
        assert error.hint
        return
    spec, decoder = opened.spec, opened.spec.decoder
    assert spec.tokens_per_image < opened.context <= min(decoder.context, opened.target.context)
    assert spec.vision.layers + decoder.layers < 10_000
    assert opened.target.slots * opened.context * decoder.layers * decoder.kv_heads * decoder.head_dim < 1 << 40
    for text in (spec.template.user, spec.template.reply):
        assert text.format("question") == text.replace("{}", "question")


@pytest.mark.parametrize(
    "change",
    [
        ("context", 0), ("context", 10**9), ("context", SMALL.decoder.context + 1), ("target.slots", 10**9),
        ("spec.decoder.layers", 10**9), ("spec.template.user", "{0.__class__}"), ("spec.template.reply", "{}{}"),
    ],
)  # fmt: skip
def test_impossible_numbers_end_at_the_door(tmp_path: Path, change: tuple[str, object]) -> None:
    path = seal(tmp_path / "out")
    document = unsealed(path / MANIFEST)
    *above, last = change[0].split(".")
    at = document
    for key in above:
        at = at[key]
    assert at[last] != change[1]
    at[last] = change[1]
    (path / MANIFEST).write_text(json.dumps(document))
    with pytest.raises(BundleError):
        open_bundle(path)
