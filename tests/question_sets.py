"""Small sets of questions in the exact forms of VQA-RAD, SLAKE, PathVQA and LLaVA, with pictures drawn for them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

PUBLIC = "VQA_RAD Dataset Public.json"


def picture(path: Path, number: int = 0) -> Path:
    """Draw a grey picture, another one for each number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (96, 96), 20 + 9 * (number % 20))
    ImageDraw.Draw(image).ellipse((8 + number % 30, 12, 60, 80), fill=220 - 5 * (number % 20))
    image.save(path)
    return path


def vqa_rad_rows() -> list[dict[str, Any]]:
    """Rows of the published file: three to train with, two of the test; a blank, a misspelling, a number in them."""
    common = {
        "qid_linked_id": "03f4-61ca",
        "image_case_url": "https://example.org/case?id=48e1",
        "evaluation": "not evaluated",
        "question_rephrase": "NULL",
        "question_relation": "NULL",
        "question_frame": "NULL",
    }
    rows = [
        ("1", "freeform", "synpic1.jpg", "HEAD", "PRES", "Are regions of the brain infarcted?", "Yes", "CLOSED"),
        ("2", "para", "synpic1.jpg", "HEAD", "PRSE", "Is the brain infarcted?", "No", "CLOSED "),
        ("3", "freeform", "synpic2.jpg", "CHEST", "COUNT", "How many lesions are there?", 3, "OPEN"),
        ("4", "test_freeform", "synpic2.jpg", "CHEST", "ATRIB, PRES", "What is seen, and how?", "Air, diffuse", "OPEN"),
        ("5", "test_para", "synpic1.jpg", "HEAD", "POS", "Is it on the left or on the right?", "Left", "CLOSED"),
    ]
    names = ("qid", "phrase_type", "image_name", "image_organ", "question_type", "question", "answer", "answer_type")
    return [{**dict(zip(names, row, strict=True)), **common} for row in rows]


def vqa_rad(folder: Path) -> Path:
    """Write VQA-RAD as it was published: one file, and the pictures in ``images``."""
    for number in (1, 2):
        picture(folder / "images" / f"synpic{number}.jpg", number)
    return _json(folder / PUBLIC, vqa_rad_rows())


def slake(folder: Path) -> Path:
    """Write SLAKE: test.json with an English and a Chinese question, train.json with one, and ``imgs``."""
    common = {
        "img_id": 1,
        "img_name": "xmlab1/source.jpg",
        "location": "Abdomen",
        "modality": "MRI",
        "base_type": "vqa",
        "triple": ["vhead", "_", "_"],
    }
    asked = [
        {"question": "What modality is used?", "answer": "MRI", "q_lang": "en", "qid": 0, "answer_type": "OPEN"},
        {"question": "图像里有肝脏吗?", "answer": "有", "q_lang": "zh", "qid": 1, "answer_type": "CLOSED"},
        {"question": "Does it contain the liver?", "answer": "Yes", "q_lang": "en", "qid": 2, "answer_type": "CLOSED"},
    ]
    types = ("Modality", "Organ", "Organ")
    rows = [{**common, **row, "content_type": kind} for row, kind in zip(asked, types, strict=True)]
    picture(folder / "imgs/xmlab1/source.jpg")
    _json(folder / "train.json", rows[2:])
    return _json(folder / "test.json", rows[:2])


def path_vqa(folder: Path) -> Path:
    """Write PathVQA as it is published: ``qas/SPLIT/SPLIT_qa.pkl`` and ``images/SPLIT``; returns the folder."""
    for split in ("train", "test"):
        rows = [
            {"image": f"{split}_0001", "question": "Are glands seen?", "answer": "yes"},
            {"image": f"{split}_0001", "question": "What is present?", "answer": "the cells"},
        ]
        picture(folder / "images" / split / f"{split}_0001.jpg")
        file = folder / "qas" / split / f"{split}_qa.pkl"
        file.parent.mkdir(parents=True)
        file.write_bytes(pickle.dumps(rows))
    return folder


def llava(folder: Path, key: str = "conversations") -> Path:
    """Write a file in LLaVA's form under either spelling of its key, the mark of the picture before and behind."""
    turns = [
        [("human", "<image>\nIs it a chest?"), ("gpt", "Yes")],
        [("human", "What is seen?\n<image>"), ("gpt", "An effusion"), ("human", "On which side?"), ("gpt", "Left")],
    ]
    rows = [
        {
            "id": f"q{number}",
            "image": "a.png",
            "answer_type": "CLOSED" if number == 0 else "OPEN",
            key: [{"from": speaker, "value": value} for speaker, value in conversation],
        }
        for number, conversation in enumerate(turns)
    ]
    picture(folder / "images/a.png")
    return _json(folder / "questions.json", rows)


def conversation_rows() -> list[dict[str, Any]]:
    """Rows of a conversation set: three questions about two figures, the last a detailed description."""
    domains = ("chest_xray", "mri", "histology", "gross", "ct_scan")
    rows = [
        (
            "a.png",
            "What is seen?",
            "A left effusion.",
            "A film of the chest.",
            ["Fig. 1 has an effusion."],
            "chest_xray",
        ),
        ("a.png", "On which side?", "On the left.", "A film of the chest.", ["Fig. 1 has an effusion."], "chest_xray"),
        ("b.png", "Describe it in detail.", "A mass in the liver.", "A scan.", "", "ct_scan"),
    ]
    return [
        {
            "question_id": number,
            "image": image,
            "pair_id": image.removesuffix(".png"),
            "text": question,
            "gpt4_answer": answer,
            "fig_caption": caption,
            "in_text_mention": mentions,
            "domain": {name: name == domain for name in domains},
            "type": "conversation" if number < 2 else "detailed_description",
            "fig_label": "Fig. 1",
        }
        for number, (image, question, answer, caption, mentions, domain) in enumerate(rows)
    ]


def conversation(folder: Path) -> Path:
    """Write a conversation set as LLaVA-Med's is handed round: a row a line, and the pictures in ``images``."""
    for number, name in enumerate(("a.png", "b.png")):
        picture(folder / "images" / name, number)
    file = folder / "qa50.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in conversation_rows()), encoding="utf-8")
    return file


def _json(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return file
