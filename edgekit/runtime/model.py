"""A bundle, opened and ready: tokenizer, engine and generator together; what ``ask`` and a service hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tokenizers import Tokenizer

from edgekit.bundle import Bundle, open_bundle
from edgekit.checkpoint.documents import read_text
from edgekit.checkpoint.spec import ModelSpec
from edgekit.checkpoint.tokenizer import parse_tokenizer
from edgekit.engines.base import Engine
from edgekit.engines.open import open_engine
from edgekit.errors import BundleError, CheckpointError
from edgekit.inputs.prompt import Prompt, Turn, build
from edgekit.runtime.events import Event
from edgekit.runtime.generator import DEFAULTS, Generator
from edgekit.runtime.sampling import SamplingParams
from edgekit.runtime.scheduler import common


@dataclass(frozen=True)
class Model:
    """Answers questions; close it (or use it in ``with``) to give its memory back."""

    bundle: Bundle
    tokenizer: Tokenizer
    engine: Engine
    generator: Generator

    @classmethod
    def open(cls, path: Path, slots: int | None = None) -> Model:
        """Open the bundle at ``path`` with ``slots`` rows of KV (None: its target's); errors as of the bundle and its
        engine."""
        bundle = open_bundle(path)
        return cls.of(bundle, open_tokenizer(bundle), open_engine(bundle, slots or bundle.manifest.target.slots))

    @classmethod
    def of(cls, bundle: Bundle, tokenizer: Tokenizer, engine: Engine) -> Model:
        """Put together what was opened one by one."""
        spec = bundle.manifest.spec
        return cls(bundle, tokenizer, engine, Generator(engine, tokenizer, spec, public=public_keys(spec, tokenizer)))

    @property
    def fingerprint(self) -> str:
        """Which bundle answers, in a word."""
        return self.bundle.fingerprint

    def prompt(self, turns: Sequence[Turn], system: str | None = None) -> Prompt:
        """Write a conversation in the model's own template, with a caller's ``system`` text where it has a place."""
        return build(self.bundle.manifest.spec, self.tokenizer, turns, system)

    def stream(self, turns: Sequence[Turn], params: SamplingParams = DEFAULTS) -> Iterator[Event]:
        """Yield the next answer of a conversation, as it comes."""
        return self.generator.stream(self.prompt(turns), params)

    def __enter__(self) -> Model:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.engine.close()


def public_keys(spec: ModelSpec, tokenizer: Tokenizer) -> tuple[int, ...]:
    """Return the keys that every prompt of a model begins with: what two unlike questions have in common."""
    first, other = (build(spec, tokenizer, [Turn(question)]).keys for question in ("Is it?", "7 of them"))
    return first[: common(first, other)]


def open_tokenizer(bundle: Bundle) -> Tokenizer:
    """Open a bundle's tokenizer; :class:`BundleError` where it is none."""
    file = bundle.file("tokenizer.json")
    try:
        return parse_tokenizer(read_text(file), str(file))
    except CheckpointError as error:
        raise BundleError(error.message, "Build the bundle again.") from error
