"""The page's files: how they are served, and what they hold, as far as no browser is needed to see it.

What a browser makes of them is in ``tests/integration/test_page.py``.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from edgekit.serve.headers import PAGE_POLICY
from edgekit.serve.refusal import Refusal
from edgekit.serve.static import FOLDER, TYPES, File, Page, is_current, takes_gzip
from tests.asgi import Call, get, on_loop

PAGE = Page()
APP = Starlette(routes=[Route("/", PAGE), Route("/page/{path:path}", PAGE)])
FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.suffix != ".pyc")
SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in FILES if path.suffix == ".js"}
HTML = (FOLDER / "index.html").read_text(encoding="utf-8")
LANGUAGES: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "languages").glob("*.json"))
}
ENGLISH: dict[str, str | dict[str, str]] = LANGUAGES["en"]["texts"]
PLURALS = {name: {"one", "other"} for name in LANGUAGES} | {"ar": {"one", "two", "few", "many", "other"}}
"""The forms by which a language counts from 1 to a few hundred (CLDR); a browser holds them to be those."""
COMPUTED = ("confidence.", "error.", "feedback.", "preset.", "report.", "share.", "size.", "warning.", "admin.")
"""Keys that scripts put together from a part and a name."""


@pytest.mark.parametrize("name", PAGE.files)
@on_loop
async def test_a_file_is_served_as_what_it_is(name: str) -> None:
    path = FOLDER / (name or "index.html")
    call = await get(APP, f"/page/{name}" if name else "/")
    assert call.status == 200
    assert call.body == path.read_bytes()
    assert call.headers["content-type"] == TYPES[path.suffix]
    assert call.headers["content-security-policy"] == PAGE_POLICY
    assert call.headers["cache-control"] == "no-cache", "a browser asks each time whether it has changed"
    packed = await get(APP, f"/page/{name}" if name else "/", headers={"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == call.body
    assert {call.headers["vary"], packed.headers["vary"]} == {"accept-encoding"}
    assert call.headers["etag"] != packed.headers["etag"], "a tag names one sequence of bytes"


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@on_loop
async def test_what_a_browser_has_is_not_sent_again(accepted: str) -> None:
    headers = {"accept-encoding": accepted}
    tag = (await get(APP, "/", headers=headers)).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await get(APP, "/", headers={**headers, "if-none-match": known})
        assert again.status == 304
        assert again.body == b""
        assert again.headers["etag"] == tag
        assert again.headers["content-security-policy"] == PAGE_POLICY
        assert "content-length" not in again.headers
    assert (await get(APP, "/", headers={**headers, "if-none-match": '"other"'})).status == 200


@pytest.mark.parametrize("path", ["nothing.js", "index.html", "../static.py", "languages/../main.js", "languages", ""])
@on_loop
async def test_no_other_file_is_to_be_had(path: str) -> None:
    call = Call(APP, "GET", f"/page/{path}")
    if path:
        with pytest.raises(Refusal) as refusal:
            await call.done()
        assert (refusal.value.status, refusal.value.code) == (404, "not_found")
    else:
        assert (await call.done()).status == 200, "the page itself"


def test_what_lies_beside_the_page_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("page")
    (tmp_path / "notes.txt").write_text("not a part of it")
    assert Page(tmp_path).files.keys() == {""}
    with pytest.raises(KeyError):
        File.read(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("header", "takes"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("", False), ("br", False), ("gzip;q=0", False), ("gzip; q=0.0", False)],
)
def test_whoever_takes_gzip_says_so(header: str, takes: bool) -> None:
    assert takes_gzip(header) == takes


def test_a_tag_is_compared_whole() -> None:
    assert is_current('"a", W/"b"', '"b"')
    assert not is_current('"bb"', '"b"')
    assert not is_current("", '"b"')


def test_all_of_it_is_light() -> None:
    packed = sum(len(file.packed) for name, file in PAGE.files.items() if not name.startswith("languages/"))
    languages = sorted(len(file.packed) for name, file in PAGE.files.items() if name.startswith("languages/"))
    assert packed + sum(languages[-2:]) < 80_000, (
        "the page with English and the longest other language; the limit is 150"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_names_another_host(path: Path) -> None:
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[\w./]*", path.read_text(encoding="utf-8")))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "a name of XML, which nobody fetches"
    assert path.suffix in TYPES


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_others_wrote_never_becomes_markup_or_code(name: str) -> None:
    script = SCRIPTS[name]
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"):
        assert word not in script
    assert not re.search(r"setTimeout\(\s*[\"'`]", script)
    assert not re.search(r"DOMParser|createContextualFragment|setHTML|javascript:", script)


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    assert re.findall(r"<script[^>]*>", HTML) == ['<script type="module" src="page/main.js">']
    assert "<style" not in HTML
    assert not re.search(r"<[^>]+\s(?:style|on\w+)=", HTML)


def test_every_module_that_is_imported_is_there_and_every_script_is_imported() -> None:
    imported = {name for script in SCRIPTS.values() for name in re.findall(r'from "\./([\w.]+)"', script)}
    assert imported | {"main.js"} == SCRIPTS.keys()
    preloaded = set(re.findall(r'modulepreload" href="page/([\w.]+)"', HTML))
    assert preloaded == SCRIPTS.keys(), "else they are asked for one behind the other"


def test_every_picture_in_a_button_is_there() -> None:
    symbols = set(re.findall(r'<symbol id="i-(\w+)"', HTML))
    used = set(re.findall(r'href="#i-(\w+)"', HTML))
    for script in SCRIPTS.values():
        used |= set(re.findall(r'\b(?:icon|iconButton)\("(\w+)"', script))
    assert used <= symbols


def test_every_text_that_is_asked_for_is_there() -> None:
    asked = set(re.findall(r'data-i18n(?:-label|-placeholder)?="([^"]+)"', HTML))
    for script in SCRIPTS.values():
        asked |= set(re.findall(r'\b(?:t|inEnglish)\(\s*"([\w.]+)"', script))
        asked |= {key for pair in re.findall(r'\bt\([^"()]+\? "([\w.]+)" : "([\w.]+)"', script) for key in pair}
    assert asked <= ENGLISH.keys()
    unused = {key for key in ENGLISH.keys() - asked if not key.startswith(COMPUTED)}
    assert not unused


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_language_says_everything_and_nothing_else(name: str) -> None:
    document = LANGUAGES[name]
    assert document.keys() == {"name", "dir", "reviewed", "texts"}
    assert document["texts"].keys() == ENGLISH.keys()
    assert document["dir"] == ("rtl" if name == "ar" else "ltr")
    for key, text in document["texts"].items():
        english = ENGLISH[key]
        assert isinstance(text, dict) == isinstance(english, dict), key
        for form, words in forms(text).items():
            named, wanted = (set(re.findall(r"{\w+}", each)) for each in (words, forms(english)["other"]))
            assert named == wanted or (named < wanted and form in ("one", "two")), key  # "a picture" needs no figure
            assert words.strip() == words
            assert "<" not in words
            assert words or (name == "en" and key in ("notice.unreviewed", "ask.onlyEnglish")), key
        assert isinstance(text, str) or text.keys() == PLURALS[name], key


def forms(text: str | dict[str, str]) -> dict[str, str]:
    """A text's forms by what they count; one that counts nothing has one."""
    return {"other": text} if isinstance(text, str) else text


def test_the_languages_are_those_that_the_page_offers() -> None:
    offered = re.search(r"LANGUAGES = {(.*?)};", SCRIPTS["language.js"])
    assert offered
    pairs = dict(re.findall(r'(\w+): "([^"]+)"', offered[1]))
    assert pairs == {name: document["name"] for name, document in LANGUAGES.items()}
    assert LANGUAGES["en"]["reviewed"] is True
    assert all(document["reviewed"] is False for name, document in LANGUAGES.items() if name != "en")


def test_the_notice_is_there_before_any_script_runs() -> None:
    assert f'<strong id="notice-draft">{ENGLISH["notice.draft"]}</strong>' in HTML
