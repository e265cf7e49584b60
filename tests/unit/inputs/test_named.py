"""The picture that a row of a question file names, and rows whose picture would be lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import InputError
from edgekit.inputs.named import check_keys, is_nameless, picture_of, pictures_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "images/b.jpg", "imgs/7.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("row", "picture"),
    [
        ({"image": "a.png"}, "a.png"),
        ({"img_name": "b.jpg"}, "images/b.jpg"),
        ({"image": "b"}, "images/b.jpg"),
        ({"images": ["a.png"]}, "a.png"),
        ({"image": "a.png", "img_id": 3}, "a.png"),
        ({"image_id": "7"}, "imgs/7.jpg"),
        ({"image": "a.png", "file_name": "a.png", "image_organ": "LUNG"}, "a.png"),
        ({"image": None, "question": "See fig.png."}, None),
        ({"images": []}, None),
        ({"has_image": False}, None),
    ],
)
def test_a_row_names_one_picture_or_none(row: dict[str, Any], picture: str | None, folder: Path) -> None:
    assert picture_of(row, folder, "row 1") == (picture and folder / picture)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": "a.png", "img": "b.jpg"}, "names several pictures: a.png, b.jpg"),
        ({"image": ["a.png", "b.jpg"]}, "names 2 pictures by 'image'"),
        ({"image": "none.png"}, "there is no picture 'none.png'"),
        ({"image": "../a.png"}, "outside its folder"),
        ({"image": "/etc/passwd"}, "outside its folder"),
        ({"image": "https://x/a.png"}, "on the net"),
        ({"image": "data:image/png;base64,AAAA"}, "holds its picture itself"),
        ({"image": "x" * 300}, "holds its picture itself"),
        ({"image": {"bytes": "AAAA"}}, "holds its picture itself, in 'image'"),
        ({"image": 3}, "by what is no text"),
        ({"image": "a\0.png"}, "by what is no text"),
        ({"xray": "a"}, "may name a picture by 'xray'"),
        ({"source": "scan.dcm"}, "may name a picture by 'source'"),
        ({"image": "a.png", "picture": {"path": "other.png"}}, "may name a picture by 'picture'"),
    ],
)
def test_a_picture_that_would_be_lost_is_refused(row: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(InputError, match=r"^row 1") as error:
        picture_of(row, folder, "row 1")
    assert message in error.value.message


def test_a_remark_on_the_row_s_own_picture_is_none_of_another(folder: Path) -> None:
    check_keys({"source": "train/a.png", "scan": ["a.png"]}, [folder / "a.png"], "row 1")
    with pytest.raises(InputError, match="'scan'"):
        check_keys({"scan": ["b.png"]}, [folder / "a.png"], "row 1")


@pytest.mark.parametrize(
    ("row", "pictures"),
    [
        ({"images": ["b.jpg", "a.png"]}, ["images/b.jpg", "a.png"]),
        ({"images": ["a.png", "lost.png"], "image": ["a.png", "lost.png"]}, ["a.png", "lost.png"]),
        ({"image": "lost/c.png", "note": "b.jpg is the older one"}, ["lost/c.png"]),
        ({"images": [None]}, []),
    ],
)
def test_a_row_may_name_several_pictures_and_missing_ones(
    row: dict[str, Any], pictures: list[str], folder: Path
) -> None:
    assert pictures_of(row, folder, "row 1") == tuple(folder / picture for picture in pictures)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"images": ["a.png", "b.jpg"], "image": "a.png"}, "names several pictures: a.png, b.jpg"),
        ({"images": ["a.png", None]}, "by what is no text"),
        ({"images": ["a.png", "../b.jpg"]}, "outside its folder"),
        ({"images": ["a.png", "b.jpg"], "scan": "c.png"}, "may name a picture by 'scan'"),
    ],
)
def test_of_several_pictures_none_is_lost(row: dict[str, Any], message: str, folder: Path) -> None:
    with pytest.raises(InputError, match=message):
        pictures_of(row, folder, "row 1")


@pytest.mark.parametrize(
    ("row", "nameless"),
    [
        ({"image": None}, True),
        ({"image": "", "img_name": [None]}, True),
        ({"image": None, "image_name": "a.png"}, False),
        ({"image": "a.png"}, False),
        ({"image": float("nan")}, True),
        ({"question": "Is it?"}, True),
        ({"img_id": 7, "image_organ": "HEAD", "url": "https://example.org/case?id=1"}, True),
        ({"img_id": "a"}, False),
        ({"scan": {"file": "a.png"}}, False),
        ({"note": "compare it with a.png"}, True),
    ],
)
def test_a_key_for_a_picture_without_a_name_in_it(row: dict[str, Any], nameless: bool) -> None:
    assert is_nameless(row) is nameless
