"""What can't be had from shapes: a table per engine, each number with how it was found and where (``engines.toml``)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from edgekit import config
from edgekit.config.site import site_file
from edgekit.target.kinds import kind_of

Basis = Literal["exact", "measured", "arithmetic", "assumed"]
BASES: tuple[Basis, ...] = ("exact", "arithmetic", "measured", "assumed")
"""How sure a number is, the surest first."""


@dataclass(frozen=True)
class Bytes:
    """A number of bytes; ``source`` says who measured it where, or why it is assumed."""

    size_bytes: int
    basis: Basis
    source: str


@dataclass(frozen=True)
class Factor:
    """A ratio, and its source."""

    ratio: float
    basis: Basis
    source: str


@dataclass(frozen=True, kw_only=True)
class Coefficients:
    """Of one engine.

    - ``chunk``: what the engine's kind says, kept for files that an older EdgeKit fitted or will read
    - ``whole_scores``: whether attention writes its scores to memory
    - ``process``: Python's and libraries' own memory before a model is loaded
    - ``engine_host``, ``engine_device``: what the runtime adds by loading one, weights and arena not counted
    - ``libraries``: their files' pages in memory, which the system can drop
    - ``tokenizer_word``: of its vocabulary
    - ``vision_scratch``, ``decoder_scratch``: what an allocator takes for each byte of activations
    - ``picture``: one being decoded
    - ``image_cache``: pictures that a service remembers
    - ``build_base``, ``build_core``: a build's peak, of all its processes, and what each core adds
    - ``compile_base``: the peak of the process that compiles
    - ``compile_matrix``: what each byte of the largest matrix adds to that (TensorRT: of the decoder's weights)
    - ``compiled``: the compiled form's size for each byte that its graphs take in memory (0: there is none)
    - ``compiled_twice``: the same by a runtime that keeps the originals beside the packed weights
    """

    chunk: int = field(default=0, compare=False)
    whole_scores: bool
    process: Bytes
    engine_host: Bytes
    engine_device: Bytes
    libraries: Bytes
    tokenizer_word: Bytes
    vision_scratch: Factor
    decoder_scratch: Factor
    picture: Bytes
    image_cache: Bytes
    build_base: Bytes
    build_core: Bytes
    compile_base: Bytes
    compile_matrix: Factor
    compiled: Factor
    compiled_twice: Factor


@cache
def _table(path: Path) -> dict[str, Coefficients]:
    return config.load_toml(path, dict[str, Coefficients])


def coefficients(engine: str) -> Coefficients:
    """Return the numbers of a target's engine: the site's where it has fitted them, else those that ship.

    :class:`~edgekit.errors.ConfigError` where the site's file says something wrong.
    """
    fitted = site_file("engines.toml")
    own = _table(fitted) if fitted else {}
    return own.get(engine) or shipped_coefficients(engine)


def shipped_coefficients(engine: str) -> Coefficients:
    """Return the numbers that ship: they lie in the package of the engine's backend."""
    kind = kind_of(engine)
    return replace(_table(Path(str(files(kind.backend) / "engines.toml")))[engine], chunk=kind.chunk)
