"""What was measured here, from the JSON that ``evaluate``, ``plan`` and ``profile`` wrote; each figure knows its file.

A bundle is told by its digest, which evaluations and profiles have; a plan, which is made before there is a bundle, by
its model and recipe. What no file says is None, and shown as missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from edgekit.errors import InputError

SETS = ("VQA-RAD", "SLAKE", "PathVQA")
DOMAINS = {"chest_xray": "chest X-ray", "mri": "MRI", "histology": "histology", "gross": "gross", "ct_scan": "CT"}
_TYPES = {"conversation": "conversation", "detailed_description": "description"}
_HINT = "Give what `edgekit evaluate`, `plan` or `profile` wrote with --json, or a folder of such files."


@dataclass(frozen=True)
class Source:
    """A file that figures come from: its name, the first 16 digits of its SHA-256, and the command that wrote it."""

    file: str
    sha256: str
    command: str

    def __str__(self) -> str:
        return f"{self.file} (sha256 {self.sha256}…), by {self.command}"


@dataclass(frozen=True)
class Figure:
    """A value, its 95 % interval (None: not told), and the file that it comes from."""

    value: float
    interval: tuple[float, float] | None
    source: Source


@dataclass(kw_only=True)
class Measured:
    """A bundle's figures: ``accuracy`` and ``judged`` in percent by the columns of the paper's tables, memory and disk
    in bytes, the first token in milliseconds."""

    name: str
    recipe: str | None = None
    digest: str | None = None
    model: str | None = None
    accuracy: dict[str, Figure] = field(default_factory=dict)
    judged: dict[str, Figure] = field(default_factory=dict)
    static_bytes: Figure | None = None
    dynamic_bytes: Figure | None = None
    disk_bytes: Figure | None = None
    first_token_ms: Figure | None = None


def read_measured(paths: Sequence[Path]) -> list[Measured]:
    """Read files, and the ``.json`` files of folders, in their order; of one figure of one bundle, the last counts.

    :class:`InputError` for what is no such file. Phantoms are no patients: their evaluations are left out.
    """
    measured: dict[str, Measured] = {}
    plans: list[tuple[dict[str, Any], Source]] = []
    for path in _files(paths):
        document, digest = _read(path)
        if "components" in document and "sides" in document:
            if "digest" in document:
                _profile(_of(measured, document), document, Source(path.name, digest, "edgekit profile --json"))
            else:
                plans.append((document, Source(path.name, digest, "edgekit plan --json")))
            continue
        for one in document["bundles"] if isinstance(document.get("bundles"), list) else [document]:
            if not isinstance(one, dict) or "rows" not in one or "closed" not in one:
                raise InputError(f"{path} holds no evaluation, plan or profile", _HINT)
            data = one.get("data")
            if isinstance(data, dict):
                command = f"edgekit evaluate --data … --split {data['split']} --json"
                _evaluation(_of(measured, one), one, Source(path.name, digest, command))
    for document, source in plans:
        _plan(measured, document, source)
    return list(measured.values())


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            files = sorted(path.glob("*.json"))
            if not files:
                raise InputError(f"{path} holds no .json file", _HINT)
            yield from files
        else:
            yield path


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        content = path.read_bytes()
        document = json.loads(content)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", _HINT) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not valid JSON: {error}", _HINT) from None
    if not isinstance(document, dict):
        raise InputError(f"{path} holds no evaluation, plan or profile", _HINT)
    return document, sha256(content).hexdigest()[:16]


def _of(measured: dict[str, Measured], document: Mapping[str, Any]) -> Measured:
    """The bundle that a document is of, by its digest; answers of no bundle of ours by their name."""
    digest, name = document.get("digest"), str(document.get("name") or document.get("model"))
    one = measured.setdefault(str(digest or name), Measured(name=name))
    one.digest, one.recipe = digest, document.get("recipe") or one.recipe
    one.model = document.get("model") or one.model
    if "name" in document:
        one.name = name
    return one


def _evaluation(measured: Measured, document: Mapping[str, Any], source: Source) -> None:
    title = document["data"]["title"]
    if title in SETS and document["data"]["split"] == "test":
        scores = document.get("scores", {})
        languages = document.get("groups", {}).get("language", {})
        if len(languages) > 1 and "en" in languages:
            scores = languages["en"]  # the paper's rows are SLAKE's English ones
        for column, metric in (("open", "open_recall"), ("closed", "closed_paper")):
            if metric in scores:
                measured.accuracy[f"{title} {column}"] = _figure(scores[metric], source)
    if document.get("bytes") is not None:
        measured.disk_bytes = Figure(document["bytes"], None, source)
    judge = document.get("judge")
    if isinstance(judge, dict):
        buckets = {name: judge["types"].get(key) for key, name in _TYPES.items()}
        buckets |= {name: judge["domains"].get(key) for key, name in DOMAINS.items()}
        buckets["overall"] = judge["overall"]
        measured.judged |= {name: _figure(bucket, source) for name, bucket in buckets.items() if bucket}


def _figure(score: Mapping[str, Any], source: Source) -> Figure:
    interval = score.get("interval")
    return Figure(score["percent"], (interval[0], interval[1]) if interval else None, source)


def _profile(measured: Measured, document: Mapping[str, Any], source: Source) -> None:
    side = document["sides"][0]
    measured.static_bytes = Figure(side["static_bytes"], None, source)
    measured.dynamic_bytes = Figure(side.get("mean_peak_bytes") or side["dynamic_bytes"], None, source)
    first = document.get("times", {}).get("first_token_ms")
    if first:
        measured.first_token_ms = Figure(first["median"], None, source)


def _plan(measured: dict[str, Measured], document: Mapping[str, Any], source: Source) -> None:
    """A plan's memory, for bundles of its model and recipe that nobody has profiled; by itself where there is none."""
    model, recipe = document.get("model"), document.get("recipe")
    static, dynamic = (Figure(document[key], None, source) for key in ("static_bytes", "dynamic_bytes"))
    alike = [each for each in measured.values() if each.model == model and each.recipe == recipe]
    for one in alike or [
        measured.setdefault(f"{model} {recipe}", Measured(name=str(model), recipe=recipe, model=model))
    ]:
        one.static_bytes = one.static_bytes or static
        one.dynamic_bytes = one.dynamic_bytes or dynamic
