"""What a checkpoint may be used for: its licence, and the notice that people must see."""

from __future__ import annotations

import re

from edgekit.checkpoint.source import Source, printable

LLAVA_MED = (
    "For research only. LLaVA-Med's authors state that clinical use, and any use in clinical decision-making, "
    "is not intended."
)
_FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
_LICENCE_KEY = re.compile(r"^(license|license_name):[ \t]*['\"]?([^'\"\n#]+)", re.MULTILINE)
# YAML's long texts go on in indented lines, after a mark or without one.
_USE_KEY = re.compile(r"^intended_use:[ \t]*(?:[|>][-+]?[ \t\r]*$)?(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_LICENCE_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt")
_TITLES = (
    ("apache-2.0", "Apache License"),
    ("mit", "MIT License"),
    ("llama2", "LLAMA 2 COMMUNITY LICENSE"),
    ("llama3", "META LLAMA 3 COMMUNITY LICENSE"),
    ("bsd-3-clause", "BSD 3-Clause"),
    ("cc-by-nc-4.0", "Attribution-NonCommercial 4.0"),
)


def licence(source: Source) -> str:
    """Return the licence that the model card's front matter, config.json or a licence file names, in that order;
    empty when none does.
    """
    return printable(_stated(source))[:200]


def _stated(source: Source) -> str:
    front = _FRONT_MATTER.match(_lenient(source, "README.md"))
    card: dict[str, str] = dict(_LICENCE_KEY.findall(front[1])) if front else {}
    # "license: other" goes with a license_name that says which.
    name = card.get("license", "").strip()
    if name and not (name == "other" and card.get("license_name")):
        return name
    if "license_name" in card:
        return card["license_name"].strip()
    if isinstance(value := source.config.values.get("license"), str) and value.strip():
        return value.strip()
    return _from_file(source)


def intended_use(source: Source) -> str:
    """Return the notice that belongs to a family, or what the model card's front matter says;
    empty where neither does.
    """
    if is_llava_med(source):
        return LLAVA_MED
    front = _FRONT_MATTER.match(_lenient(source, "README.md"))
    use = _USE_KEY.search(front[1]) if front else None
    return printable(" ".join(use[1].split()).strip("'\""))[:500] if use else ""


def is_llava_med(source: Source) -> bool:
    """Tell LLaVA-Med by its names, its model card, or the fields that only its training code left in its config.

    A model fine-tuned from it says so in its card: the notice had better stand once too often.
    """
    if any("llava-med" in name or "llava_med" in name for name in source.names()):
        return True
    return "segtok_posembed" in source.config or "llava-med" in _lenient(source, "README.md").lower()


def _from_file(source: Source) -> str:
    for file in _LICENCE_FILES:
        if head := _lenient(source, file)[:4000]:
            title = next((name for name, title in _TITLES if title.lower() in head.lower()), "")
            return title or f"see {file}"
    return ""


def _lenient(source: Source, name: str) -> str:
    """Prose for people: what is no UTF-8 in it is no reason to refuse a checkpoint."""
    path = source.path / name
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
