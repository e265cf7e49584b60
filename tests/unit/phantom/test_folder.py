from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from PIL import Image

from edgekit.cli import main as cli
from edgekit.cli.phantoms import command
from edgekit.errors import EdgeKitError, InputError, MissingExtra
from edgekit.inputs.images import load_image
from edgekit.phantom.draw import draw
from edgekit.phantom.folder import Layout, write_folder
from edgekit.phantom.scene import scene
from edgekit.phantom.split import SEEDS, TEST_SCENES, Split, balanced
from tests.unit.phantom.oracle import answer

FORMS: tuple[Layout, ...] = get_args(Layout)
SPLITS: tuple[Split, ...] = get_args(Split)
# What VQA-RAD's rows hold, and the words that it uses.
VQA_RAD = {
    "qid": int,
    "image_name": str,
    "image_organ": {"CHEST", "HEAD", "ABD"},
    "answer": str,
    "answer_type": {"CLOSED", "OPEN"},
    "question_type": {"PRES", "POS", "ABN", "SIZE", "COUNT", "OTHER", "MODALITY", "ATTRIB", "PLANE", "COLOR", "ORGAN"},
    "question": str,
    "phrase_type": {"freeform", "frame", "para"},
}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def seed_of(name: str) -> int:
    match = re.fullmatch(r"phantom(\d{8})\.(png|dcm)", name)
    assert match
    return int(match[1])


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_llava_form_as_its_trainers_read_it(tmp_path: Path) -> None:
    """The steps of LLaVA's lazy dataset: the picture of each row, its turns with alternating speakers."""
    folder = write_folder(tmp_path / "data", "llava", "train", 12)
    rows = load(tmp_path / "data" / "conversations.json")
    assert folder.questions == len(rows) > 12 * 12
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == {"id", "image", "conversations", "answer_type"}
        picture = Image.open(tmp_path / "data" / row["image"]).convert("RGB")
        assert picture.size == (224, 224)
        assert [turn["from"] for turn in row["conversations"]] == ["human", "gpt"]
        question, value = (turn["value"] for turn in row["conversations"])
        assert question.startswith("<image>\n")
        assert (question + value).count("<image>") == 1
        assert value == answer(scene(seed_of(Path(row["image"]).name)), question.removeprefix("<image>\n"))


def test_llava_form_as_an_evaluation_reads_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "data", "llava", "test", 12)
    rows = load(tmp_path / "data" / "conversations.json")
    wanted = [asked.question for asked in balanced("test", 12)]
    assert [row["conversations"][1]["value"] for row in rows] == [question.answer for question in wanted]
    assert [row["answer_type"] == "CLOSED" for row in rows] == [question.form == "closed" for question in wanted]


@pytest.mark.parametrize("split", SPLITS)
def test_vqa_rad_form(tmp_path: Path, split: Split) -> None:
    write_folder(tmp_path / "data", "vqa-rad", split, 10)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"images", f"{split}.json"}
    rows = load(tmp_path / "data" / f"{split}.json")
    for row in rows:
        assert list(row) == list(VQA_RAD)
        for key, allowed in VQA_RAD.items():
            assert isinstance(row[key], allowed) if isinstance(allowed, type) else row[key] in allowed  # type: ignore[operator]
        seed = seed_of(row["image_name"])
        assert seed in SEEDS[split][:10]
        assert row["answer"] == answer(scene(seed), row["question"])
        assert (tmp_path / "data" / "images" / row["image_name"]).exists()
    assert len({row["qid"] for row in rows}) == len(rows)


def test_vqa_rad_types_follow_the_questions(tmp_path: Path) -> None:
    write_folder(tmp_path / "data", "vqa-rad", "train", 60)
    types = {row["question"]: row["question_type"] for row in load(tmp_path / "data" / "train.json")}
    signs = {
        "^How many|number": "COUNT",
        "^Where|location": "POS",
        "heart|cardiomegaly": "SIZE",
        "^Is there a ": "PRES",
    }
    for sign, wanted in signs.items():
        assert {kind for question, kind in types.items() if re.search(sign, question)} == {wanted}


def test_dicom_form(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", "dicom", "validation", 4)
    rows = load(tmp_path / "data" / "questions.json")
    assert folder.questions == len(rows) == 24
    for row in rows:
        seed = seed_of(row["image"])
        assert row["answer"] == answer(scene(seed), row["question"])
    for seed in SEEDS["validation"][:4]:
        shown = load_image(tmp_path / "data" / f"phantom{seed:08}.dcm").image
        assert shown.convert("L").tobytes() == draw(scene(seed)).tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_the_pictures_are_the_phantoms_and_the_counts_are_right(tmp_path: Path, form: Layout) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = write_folder(tmp_path / "data", form, "test", 70, lambda *step: seen.append(step))
    files = contents(tmp_path / "data")
    assert (folder.path, folder.form, folder.split, folder.phantoms) == (tmp_path / "data", form, "test", 70)
    assert folder.bytes == sum(map(len, files.values()))
    assert folder.questions == 420
    pictures = [name for name in files if not name.endswith(".json")]
    assert sorted(seed_of(Path(name).name) for name in pictures) == list(SEEDS["test"][:70])
    for name in pictures[:5]:
        shown = load_image(tmp_path / "data" / name).image
        assert shown.convert("L").tobytes() == draw(scene(seed_of(Path(name).name))).tobytes()
    assert seen[-1] == ("draw", 70, 70)
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})


@pytest.mark.parametrize("form", FORMS)
def test_the_same_arguments_write_the_same_bytes(tmp_path: Path, form: Layout) -> None:
    for name in ("one", "two"):
        write_folder(tmp_path / name, form, "train", 3)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_numbers_agree_between_the_forms(tmp_path: Path) -> None:
    for form in FORMS:
        write_folder(tmp_path / form, form, "test", 3)
    llava = [int(row["id"]) for row in load(tmp_path / "llava" / "conversations.json")]
    assert llava == [row["qid"] for row in load(tmp_path / "vqa-rad" / "test.json")]
    assert llava == [int(row["id"]) for row in load(tmp_path / "dicom" / "questions.json")]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_nothing_half_made_stays(tmp_path: Path, stop: BaseException) -> None:
    def progress(stage: str, done: int, total: int) -> None:
        raise stop

    with pytest.raises((KeyboardInterrupt, OSError)):
        write_folder(tmp_path / "data", "llava", "train", 3, progress)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(EdgeKitError, match="exists already"):
        write_folder(tmp_path)
    assert contents(tmp_path) == {"mine": b"kept"}


@pytest.mark.parametrize(("split", "count"), [("test", 0), ("test", 1_000_001), ("train", -1)])
def test_phantoms_that_a_split_does_not_have(tmp_path: Path, split: Split, count: int) -> None:
    with pytest.raises(InputError, match=f"{count} phantoms"):
        write_folder(tmp_path / "data", "llava", split, count)
    assert list(tmp_path.iterdir()) == []


def test_dicom_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(MissingExtra, match=r"pip install 'edgekit\[dicom\]'"):
        write_folder(tmp_path / "data", "dicom")
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["phantoms", str(tmp_path / "a"), "--form", "vqa-rad", "--split", "train", "--count", "2"]
    assert cli.main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    rows = load(tmp_path / "a" / "train.json")
    size = sum(map(len, contents(tmp_path / "a").values()))
    expected = {"path": str(tmp_path / "a"), "form": "vqa-rad", "split": "train", "phantoms": 2}
    assert said == {**expected, "questions": len(rows), "bytes": size}
    assert cli.main(arguments) == 1
    assert "exists already" in capsys.readouterr().err
    arguments[1] = str(tmp_path / "b")
    assert cli.main(arguments) == 0
    assert f"questions  {len(rows)}\n" in capsys.readouterr().out
    assert cli.main(["phantoms", str(tmp_path / "c"), "--form", "coco"]) == 2
    assert cli.main(["phantoms", str(tmp_path / "c"), "--count", "0"]) == 2


def test_the_command_offers_what_there_is() -> None:
    options = {option.name: option for option in command.params}
    for name, wanted in (("form", FORMS), ("split", SPLITS)):
        kind = options[name].type
        assert isinstance(kind, click.Choice)
        assert tuple(kind.choices) == wanted
    assert options["count"].default == TEST_SCENES


def test_every_split_asks_closed_and_open_questions(tmp_path: Path) -> None:
    for split in SPLITS:
        write_folder(tmp_path / split, "llava", split, 5)
        types = Counter(row["answer_type"] for row in load(tmp_path / split / "conversations.json"))
        assert set(types) == {"CLOSED", "OPEN"}
