"""The options of ``edgekit evaluate``, in groups: whom it asks, what, and how."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from edgekit.cli.groups import group

if TYPE_CHECKING:
    from edgekit.evaluate.subjects import Subjects
    from edgekit.vqa.dataset import Dataset, FileForm

RECIPES = ("fp32", "fp16", "q8", "q4")
PHANTOMS = "phantoms"
QUESTIONS = 2400
FORMS = ("vqa-rad", "slake", "pathvqa", "llava", "conversation")
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is asked: phantoms, so many ``questions``, or a ``split`` of the set at ``data``."""

    data: str
    split: str | None
    form: FileForm | None
    images: Path | None
    questions: int | None

    @property
    def phantoms(self) -> bool:
        """Whether phantoms are asked about; :class:`click.UsageError` for options that don't suit what is."""
        if self.data == PHANTOMS:
            _require_none(self, ("split", "form", "images"), "is for a set; give --data")
            return True
        _require_none(self, ("questions",), f"is for phantoms; leave it or --data {self.data}")
        if self.split is None:
            raise click.UsageError("say which split is asked by --split, as in --split test")
        return False

    @property
    def count(self) -> int:
        """How many questions are asked about phantoms."""
        return self.questions or QUESTIONS

    def read(self, with_pictures: bool = True) -> Dataset:
        """Read the set; without its pictures where nothing is asked."""
        from edgekit.vqa.read import read

        assert self.split is not None
        return read(Path(self.data), self.split, self.form, self.images, with_pictures)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How it is asked, and where what came of it goes."""

    slots: int | None
    max_tokens: int | None
    out: Path | None
    on: str | None
    calibrate_confidence: bool

    def require_none(self) -> None:
        """Raise :class:`click.UsageError` for any of them: nothing is asked."""
        _require_none(self, ("slots", "max_tokens", "out", "on"), "is for asking bundles; leave --predictions")


def cluster_name(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Return what ``--on`` names; :class:`click.BadParameter` unless Ray can be asked for it."""
    if value is None or value == "ray":
        return value
    with suppress(ValueError):  # a port that is none
        address = urlsplit(value)
        if value == f"ray://{address.netloc}" and address.hostname and address.port:
            return value
    raise click.BadParameter("give ray or ray://HOST:PORT")


data_options = group(
    "data",
    Data,
    click.option("--data", default=PHANTOMS, show_default=True, metavar="PATH", help="A set's file or folder."),
    click.option("--split", metavar="S", help="Which part of the set: train, validation, test or all."),
    click.option("--form", type=click.Choice(FORMS), help="How the set is written.  [default: seen by its rows]"),
    click.option("--images", type=_FOLDER, help="Where the set's pictures lie, if not beside its file."),
    click.option(
        "--questions",
        type=click.IntRange(1, 100_000),
        metavar="N",
        help=f"How many to ask about phantoms.  [default: {QUESTIONS}]",
    ),
)
"""A command's function gets a :class:`Data` as ``data``."""

asking_options = group(
    "asking",
    Asking,
    click.option("--slots", type=click.IntRange(1), help="Questions answered at a time.  [default: the target's]"),
    click.option(
        "--max-tokens",
        type=click.IntRange(1),
        help="The longest answer to a set's question.  [default: 1024]",
    ),
    click.option("--out", type=_FILE, help="Write a line of JSON per question here; a set's are gone on with."),
    click.option(
        "--on",
        metavar="ray[://HOST:PORT]",
        callback=cluster_name,
        help="Have a Ray cluster answer a set.  [default: this process]",
    ),
    click.option(
        "--calibrate-confidence", is_flag=True, help="Learn from how sure on a BUNDLE is right; keep it there."
    ),
)
"""A command's function gets an :class:`Asking` as ``asking``."""


def subjects(bundles: tuple[Path, ...], recipe_names: tuple[str, ...]) -> Subjects:
    """Return the bundles that are asked; without any, the embedded model by each recipe."""
    if bundles and recipe_names:
        raise click.UsageError("--recipe is for the embedded model; leave it or the BUNDLE out")
    from edgekit.evaluate.subjects import built, bundles_at
    from edgekit.phantom.embedded import embedded
    from edgekit.recipe import recipe
    from edgekit.target import target

    if bundles:
        return bundles_at(bundles)
    return built(embedded(), [recipe(name) for name in recipe_names or RECIPES], target("cpu"))


def _require_none(options: object, names: Iterable[str], reason: str) -> None:
    for name in names:
        if getattr(options, name) is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} {reason}, or leave it out")
