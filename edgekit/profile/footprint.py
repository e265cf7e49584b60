"""The memory of one process that opens a bundle and answers: static, dynamic, and of each thing as it comes.

Opened step by step, and asked in an order in which each step adds one thing: a picture through the tower (scratch that
is given back), questions about pictures (the peak of each), every slot's context full (scratch that stays), and one
more question on top of that, which is the most that a service will see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean

from edgekit.bundle import Bundle
from edgekit.engines.lock import engines_folder
from edgekit.engines.open import give_back_freed_memory, open_engine
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn
from edgekit.machine.gpu_memory import GpuMemory
from edgekit.machine.memory import Memory, Peak, mapped_files, memory, shared_out_bytes
from edgekit.profile.asking import ask_about, fill
from edgekit.profile.record import Moment
from edgekit.profile.watch import Watch
from edgekit.progress import Progress, silent
from edgekit.runtime.model import Model, open_tokenizer

ANSWER = 16
"""Tokens of an answer: memory does not hang on how long an answer is, the arena being there from the start."""


@dataclass(frozen=True)
class PeakOf:
    """A peak is the most while one thing was done: the process's own bytes, the bundle's files that it mapped, in full,
    and the GPU's."""

    own_bytes: int
    weights_bytes: int
    device_bytes: int

    @property
    def host_bytes(self) -> int:
        """What the host has to hold: own pages, and every page of the weights, read or not, since answers read them
        all. Libraries' pages are not in it: the system shares and drops them, and reads them again."""
        return self.own_bytes + self.weights_bytes


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """A footprint is the memory that a bundle took in a process of its own, from its opening to full contexts.

    - ``before``: with Python and libraries alone; ``tokenizer``, ``loaded``: after each was opened.
    - ``loaded_weights_bytes``: of what is loaded, mapped files of the bundle, read or not.
    - ``loaded_device_bytes``: of it, what lies on the GPU.
    - ``loaded_share_bytes``: the process's proportional share (PSS) after loading.
    - ``kv_bytes``: the arena's, of keys and values.
    - ``encode``, ``questions``, ``full``, ``last``: peaks of a picture through the tower, of each question, of full
      contexts, and of a question on top.
    - ``kept_bytes``: own memory after each question.
    - ``library_bytes``: pages in RAM at the end of mapped files that are not the bundle's.
    - ``source``: who counted the peaks; ``moments``: the course of the run.
    """

    before: Memory
    tokenizer: Memory
    loaded: Memory
    loaded_weights_bytes: int
    loaded_device_bytes: int
    loaded_share_bytes: int
    kv_bytes: int
    encode: PeakOf
    questions: tuple[PeakOf, ...]
    kept_bytes: tuple[int, ...]
    full: PeakOf
    last: PeakOf
    library_bytes: int
    source: str
    moments: tuple[Moment, ...]

    @property
    def static_bytes(self) -> int:
        """The host's, after loading, counted as :attr:`PeakOf.host_bytes`."""
        return self.loaded.own_bytes + self.loaded_weights_bytes

    @property
    def peaks(self) -> tuple[PeakOf, ...]:
        return (self.encode, *self.questions, self.full, self.last)

    @property
    def mean_question_bytes(self) -> int:
        return round(mean(peak.host_bytes for peak in self.questions))

    @property
    def growth_bytes(self) -> float:
        """Own memory that each question keeps, over the later half: the first ones fill caches."""
        later = self.kept_bytes[(len(self.kept_bytes) - 1) // 2 :]
        return max(0.0, (later[-1] - later[0]) / max(1, len(later) - 1))


def footprint(
    bundle: Bundle,
    slots: int,
    question: str,
    pictures: Sequence[Path],
    gpu: GpuMemory | None = None,
    *,
    shared: bool = False,
    progress: Progress = silent,
) -> Footprint:
    """Measure in this process, which must have done nothing else, by a question about each of ``pictures``.

    ``gpu`` tells what is on the GPU, ``shared`` that its memory is the host's.
    """
    folders = [folder.resolve() for folder in (bundle.path, engines_folder(bundle))]  # as the kernel names them
    first = _turn(question, pictures[0])  # decoded before, so that the libraries that this takes are there
    give_back_freed_memory()
    with Watch(gpu, shared=shared) as watch:
        before = memory()
        tokenizer = open_tokenizer(bundle)
        give_back_freed_memory()  # reading it took more, for a moment
        with_tokenizer = memory()
        engine = open_engine(bundle, slots)
        loaded, weights, device = memory(), mapped_files(*folders).size_bytes, watch.device_bytes()
        share = shared_out_bytes()
        with Model.of(bundle, tokenizer, engine) as model:
            measured = _Measured(folders, watch, len(pictures) + 4, progress)
            encode = _encoded(model, first, measured)
            questions = [_asked(model, question, picture, measured) for picture in pictures]
            full = measured("full contexts", lambda: fill(model))
            last = measured("one more question", lambda: ask_about(model, [first], ANSWER))
            libraries = memory().mapped_bytes - mapped_files(*folders).resident_bytes
    return Footprint(
        before=before,
        tokenizer=with_tokenizer,
        loaded=loaded,
        loaded_weights_bytes=weights,
        loaded_device_bytes=device,
        loaded_share_bytes=share,
        kv_bytes=engine.kv_bytes,
        encode=encode,
        questions=tuple(peak for peak, _ in questions),
        kept_bytes=tuple(kept_bytes for _, kept_bytes in questions),
        full=full,
        last=last,
        library_bytes=max(0, libraries),
        source=measured.source,
        moments=tuple(watch.moments),
    )


def _encoded(model: Model, turn: Turn, measured: _Measured) -> PeakOf:
    (image,) = model.prompt([turn]).images
    pixels = image.pixels()[None]
    measured("a picture", lambda: model.engine.encode(pixels))  # reads the tower's weights
    return measured("a picture", lambda: model.engine.encode(pixels))


def _asked(model: Model, question: str, picture: Path, measured: _Measured) -> tuple[PeakOf, int]:
    """The peak of an answer, and the process's own memory when it has been given."""
    return measured("questions", partial(_asked_about, model, question, picture)), memory().own_bytes


def _turn(question: str, picture: Path) -> Turn:
    return Turn(question, images=(load_image(picture),))


def _asked_about(model: Model, question: str, picture: Path) -> None:
    ask_about(model, [_turn(question, picture)], ANSWER)


class _Measured:
    """Does something and returns the most memory meanwhile."""

    def __init__(self, folders: Sequence[Path], watch: Watch, steps: int = 0, progress: Progress = silent) -> None:
        self._folders, self._watch = folders, watch
        self._steps, self._done, self._progress = steps, 0, progress
        self.source = "kernel"

    def __call__(self, phase: str, work: Callable[[], object]) -> PeakOf:
        self._watch.phase = phase
        self._watch.take_device_peak()
        with Peak() as peak:
            work()
        self.source = peak.source
        self._done += 1
        self._progress("memory", self._done, self._steps)
        weights = mapped_files(*self._folders).size_bytes
        return PeakOf(peak.memory.own_bytes, weights, self._watch.take_device_peak())
