"""Examples in the forms that data sets have, and one clear error for every other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.inputs.examples import Example, read_examples, turns_of
from edgekit.phantom.folder import write_folder

RAD = Path(__file__).resolve().parents[4] / "shared" / "data" / "vqa-rad"


def written(folder: Path, rows: Any, name: str = "train.json") -> Path:
    folder.mkdir(exist_ok=True)
    for picture in ("a.png", "images/b.png"):
        (folder / picture).parent.mkdir(exist_ok=True)
        (folder / picture).touch()
    (folder / name).write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return folder / name


def said(*turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {**more, "conversations": [{"from": speaker, "value": value} for speaker, value in turns]}


def test_vqa_rad_rows(tmp_path: Path) -> None:
    rows = [
        {"image_name": "b.png", "question": "Is it? ", "answer": "Yes"},
        {"image_name": "a.png", "question": "How many?", "answer": 3},
        {"question": "What is CT?"},
    ]
    assert read_examples(written(tmp_path, rows)) == [
        Example("Is it?", tmp_path / "images/b.png", "Yes"),
        Example("How many?", tmp_path / "a.png", "3"),
        Example("What is CT?", None, None),
    ]


def test_a_conversation_gives_an_example_a_turn(tmp_path: Path) -> None:
    row = said(
        ("system", "Be brief."), ("human", "<image>\nOne?"), ("gpt", "1"), ("human", "Two?\n<image>"), ("gpt", "2"),
        ("human", "Three?"), image="images/b.png",
    )  # fmt: skip
    image = tmp_path / "images/b.png"
    assert read_examples(written(tmp_path, [row])) == [
        Example("One?", image, "1"),
        Example("Two?", image, "2"),
        Example("Three?", image, None),
    ]


NAMED = [
    *({key: "b.png"} for key in ("image", "image_name", "img_name", "image_path", "img", "file_name", "image_id")),
    *({key: ["b.png"]} for key in ("image", "images", "image_paths")),
    {"image": "b.png", "image_path": "images/b.png", "image_id": 7, "image_organ": "CHEST"},
    {"image": "b.png", "images": [], "num_images": 1, "has_image": True, "image_source": "https://example.org/b.png"},
    {"image": "b"},
    {"image": None, "img_name": "b.png"},
]


@pytest.mark.parametrize("row", NAMED, ids=str)
def test_every_key_that_names_a_picture_is_read(row: dict[str, Any], tmp_path: Path) -> None:
    data = written(tmp_path, [{**row, "question": "Is it?"}])
    assert read_examples(data) == [Example("Is it?", tmp_path / "images/b.png", None)]


def test_slakes_rows(tmp_path: Path) -> None:
    row = {
        "img_id": 102, "img_name": "xmlab102/source.jpg", "question": "What modality is used?", "answer": "CT",
        "q_lang": "en", "location": "Lung", "modality": "CT", "answer_type": "OPEN", "base_type": "vqa",
        "content_type": "Modality", "triple": ["vhead", "_", "_"], "qid": 1,
    }  # fmt: skip
    picture = tmp_path / "imgs/xmlab102/source.jpg"
    picture.parent.mkdir(parents=True)
    picture.touch()
    assert read_examples(written(tmp_path, [row])) == [Example("What modality is used?", picture, "CT")]


def test_llava_meds_spelling(tmp_path: Path) -> None:
    turns = said(("human", "<image>\nOne?"), ("gpt", "1"))["conversations"]
    row = {"id": "1", "image": "b.png", "domain": {"mri": True}, "conversatons": turns}
    assert read_examples(written(tmp_path, [row])) == [Example("One?", tmp_path / "images/b.png", "1")]


def test_the_questions_of_llava_meds_judge(tmp_path: Path) -> None:
    row = {
        "question_id": 0, "image": "b.png", "pair_id": "1", "text": "What is this?\n<image>", "gpt4_answer": "A scan.",
        "fig_caption": "CT", "in_text_mention": [], "domain": {"ct_scan": True}, "type": "conversation",
        "fig_label": "F2",
    }  # fmt: skip
    data = written(tmp_path, json.dumps(row), "qa50.jsonl")
    assert read_examples(data) == [Example("What is this?", tmp_path / "images/b.png", "A scan.")]


def test_lines_in_a_file_that_is_called_json(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"question": text, "image": "a.png"}) for text in ("One?", "Two?"))
    assert [example.question for example in read_examples(written(tmp_path, lines + "\n"))] == ["One?", "Two?"]


@pytest.mark.skipif(not RAD.is_dir(), reason="VQA-RAD is not on this machine")
def test_vqa_rad_as_it_was_published() -> None:
    examples = read_examples(RAD / "test.json")
    assert len(examples) == 451
    assert all(example.image is not None and example.answer for example in examples)


def test_a_folder_stands_for_the_one_file_in_it(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"question": text, "answer": "yes"}) for text in ("One?", "Two?"))
    written(tmp_path, lines + "\n\n", "all.jsonl")
    assert [example.question for example in read_examples(tmp_path)] == ["One?", "Two?"]
    written(tmp_path, [])
    with pytest.raises(InputError, match=r"several JSON files: all\.jsonl, train\.json"):
        read_examples(tmp_path)


@pytest.mark.parametrize("form", ["llava", "vqa-rad"])
def test_phantoms_are_read_as_they_were_written(form: Any, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "p", form, count=2)
    examples = read_examples(folder.path)
    assert len(examples) == folder.questions == 12
    assert all(example.image is not None and example.image.is_file() and example.answer for example in examples)
    assert "<image>" not in examples[0].question


WRONG: list[tuple[Any, str]] = [
    ("[", "not valid JSON"),
    ({"a": 1}, "holds dict, not a list"),
    ([], "holds no examples"),
    ([3], "Entry 1 .* is not an object"),
    ([{"question": "One?"}, {"answer": "x"}], "Entry 2 .* has no question"),
    ([{"question": " <image> "}], "has no question"),
    ([{"question": "x", "answer": {}}], "answer that is no text"),
    ([{"question": "x", "image": "c.png"}], r"there is no picture 'c\.png'"),
    ([{"question": "x", "image": "../a.png"}], "outside its folder"),
    ([{"question": "x", "image": "/etc/hostname"}], "outside its folder"),
    ([{"question": "x", "image": "a/" * 5000 + "b.png"}], "there is no picture 'a/a/.{30,40}…'"),
    ([{"question": "x", "image": "images/b.png/c.png"}], "there is no picture 'images/b.png/c.png'"),
    ([{"question": "x"}, {"question": "\ud800?", "answer": "x"}], r"Entry 2 .* holds '\\ud800', which is half"),
    ([{"question": "x", "answer": "\udfff"}], r"Entry 1 .* holds '\\udfff', which is half"),
    ([said(("human", "One?"), ("gpt", "\ud83e"))], "half a character"),
    ([{"question": "x", "image": "a\0.png"}], "no text"),
    ([{"question": "x", "image": 3}], "no text"),
    ([{"question": "x", "image": float("nan")}], "no text: 'image' is nan"),
    ([{"question": "x", "image": ""}], "no text"),
    ([{"question": "x", "image": {"bytes": "iVBOR", "path": "a.png"}}], "holds its picture itself, in 'image'"),
    ([{"question": "x", "image": [{"bytes": None, "path": "a.png"}]}], "holds its picture itself, in 'image'"),
    ([{"question": "x", "image": "data:image/png;base64,iVBORw0KGgo="}], "holds its picture itself"),
    ([{"question": "x", "image": "iVBORw0KGgo" * 99}], "holds its picture itself .iVBOR.{35}….,"),
    ([{"question": "x", "image": "https://example.org/a.png"}], "a picture on the net"),
    ([{"question": "x", "images": ["a.png", "b.png"]}], "names 2 pictures by 'images'"),
    ([{"question": "x", "image": "a.png", "img_name": "b.png"}], "several pictures: a.png, b.png"),
    ([{"question": "x", "image": "a.png", "second_image": "b.png"}], "may name a picture by 'second_image'"),
    ([{"question": "x", "image_id": 102}], "no text: 'image_id' is 102"),
    ([{"question": "x", "image": "a.png", "other_images": ["b.png"]}], "may name a picture by 'other_images'"),
    ([{"question": "x", "image": "a.png", "pictures": [{"path": "b.png"}]}], "may name a picture by 'pictures'"),
    ([{"question": "x", "path": "a.png"}], "may name a picture by 'path'"),
    ([{"question": "x", "image": "a.png", "files": ["a.png", "b.png"]}], "may name a picture by 'files'"),
    ([{"conversations": [{"from": "human", "value": "x", "image": "a.png"}]}], "may name a picture by 'image'"),
    ([{"image": "a.png", "conversations": [{"from": "human", "value": "x", "img": "b.png"}]}], "a picture by 'img'"),
    ([{"question": "x", "Image": "a.png"}], "may name a picture by 'Image'"),
    ([{"question": "x", "xray": "a.png"}], "may name a picture by 'xray'"),
    ([{"question": "x", "video": "a.mp4"}], "may name a picture by 'video'"),
    ([{"question": "x", "image_url": {"url": "a.png"}}], "may name a picture by 'image_url'"),
    ([{"question": "<image>\nWhat is it?"}], "asks about a picture, and names none"),
    ([said(("human", "<image>\nWhat is it?"), ("gpt", "x"))], "asks about a picture, and names none"),
    ([said(("human", "<image>\n<image>\nWhich?"), image="a.png")], "asks about 2 pictures"),
    ([said(("human", "One?"), ("assistant", "1"))], "a turn from 'assistant'"),
    ([said(("gpt", "x"))], "has no question"),
    ([said(("human", "<image>"))], "without a question"),
    ([{"conversations": "x"}], "not a list of turns"),
]


@pytest.mark.parametrize(("rows", "message"), WRONG, ids=lambda value: str(value)[:30])
def test_whatever_else_is_one_clear_error(rows: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as error:
        read_examples(written(tmp_path / "d", rows))
    assert error.value.hint


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file or folder"):
        read_examples(tmp_path / "none")
    with pytest.raises(InputError, match="holds no JSON"):
        read_examples(tmp_path)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe[]")
    with pytest.raises(InputError, match="not UTF-8"):
        read_examples(tmp_path)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="in line 3: "):
        read_examples(written(tmp_path, '{"question": "One?"}\n\n{"question": "Two?"\n', "rows.jsonl"))


def test_a_question_about_several_pictures_has_as_many_marks_at_most(tmp_path: Path) -> None:
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    row = {"question": "<image>\n<image>\nWhat changed?"}
    assert turns_of(row, pictures, "Row 1") == [("What changed?", None)]
    with pytest.raises(InputError, match="Row 1 asks about 2 pictures"):
        turns_of(row, pictures[:1], "Row 1")
