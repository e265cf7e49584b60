"""Make a bundle's golden record: ask its own engine, then let the reference read what was asked and answered.

Pictures are stored as they are looked at: no larger than the model's own size, and as new PNG files, so that nothing
of an original's headers travels. Where no examples are given, phantoms are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from PIL import Image
from tokenizers import Tokenizer

from edgekit.blocks import BlockModel
from edgekit.blocks.distributions import logsumexp
from edgekit.bundle import Bundle
from edgekit.check import forced
from edgekit.check.golden import (
    FORMAT,
    PICTURE,
    PICTURES,
    Arrays,
    Golden,
    GoldenSequence,
    Outputs,
    Position,
    write_golden,
)
from edgekit.check.reference import ReferenceOutputs, Script, read_all
from edgekit.checkpoint.checkpoint import Checkpoint
from edgekit.checkpoint.packed import is_packed
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.base import Engine
from edgekit.errors import ConfigError
from edgekit.files import writing
from edgekit.inputs.examples import Example
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.preprocess import preprocess
from edgekit.inputs.prompt import Prompt, TextPiece, Turn, build
from edgekit.progress import Progress, silent
from edgekit.runtime.embeddings import Embeddings

QUESTIONS, TOKENS, TOP, KEPT_IDS = 8, 16, 32, 256
_LARGE = 32_768
"""Layers times width from which half of the questions are asked: a 1B model reads a picture in half a minute."""
ALONE = 2
"""Sequences by which a decoder is checked alone: every one costs a pass of the quantized weights more."""


@dataclass(frozen=True)
class GoldenQuestion:
    """A question and the picture that it is about."""

    text: str
    picture: Picture | None


@dataclass(frozen=True)
class Answers:
    """What the engine answered to which ``questions``, and the ``pictures`` that they are about."""

    scripts: list[Script]
    questions: list[str]
    pictures: list[Picture]


def make_golden(
    source: Checkpoint, quantized: Checkpoint, bundle: Bundle, answers: Answers, progress: Progress = silent
) -> Golden:
    """Write the record of ``bundle``, not sealed yet, into its folder; return it. ``source`` is what it was built from,
    ``quantized`` its view by the recipe, whose weights the graphs hold. Errors as of reading the checkpoint.
    """
    spec = bundle.manifest.spec
    scripts, questions, pictures = answers.scripts, answers.questions, answers.pictures
    names = _write_pictures(bundle.path, pictures)
    size = spec.image.size
    pixels = [
        np.zeros((0, 3, size, size), np.float32),
        *(preprocess(picture.image, spec.image)[None] for picture in pictures),
    ]
    read = read_all(source, np.concatenate(pixels), scripts, progress)
    kept_ids = _kept_ids(spec.decoder.vocab)
    alone = [at for at, script in enumerate(scripts) if script.picture == (0 if pictures else None)][:ALONE]
    exact = read_all(quantized, np.concatenate(pixels[:2]), [scripts[at] for at in alone], progress, "exact")
    sequences = tuple(
        GoldenSequence(question, script.picture, script.prompt, _positions(script.answer, logits))
        for question, script, logits in zip(questions, scripts, read.logits, strict=True)
    )
    golden = Golden(
        format=FORMAT,
        reference="as stored" if any(map(is_packed, source.tensors.values())) else "unquantized",
        engine=f"onnxruntime {ort.__version__}",
        pictures=names,
        kept_ids=kept_ids,
        alone=tuple(alone),
        sequences=sequences,
    )
    arrays = Arrays(
        np.concatenate(pixels),
        np.array(read.tokens, np.int64),
        _outputs(read, read.rows, [read.logits[at] for at in alone], kept_ids),
        _outputs(exact, BlockModel(quantized).embed(read.tokens), exact.logits, kept_ids),
    )
    write_golden(bundle.path, golden, arrays)
    return golden


def phantoms(size: int, count: int) -> list[GoldenQuestion]:
    """Ask two questions about each phantom; half of the pictures are wider than high, as a fit can go wrong."""
    from edgekit.phantom import ask, draw, scene
    from edgekit.phantom.split import SEEDS

    asked = []
    for at, seed in enumerate(SEEDS["validation"][: count // 2]):
        shown = scene(seed)
        picture = draw(shown, size)
        if at % 2:
            picture = picture.crop((0, size // 8, size, size - size // 8))
        questions = ask(shown, np.random.default_rng((seed, 2)))
        for form in ("open", "description"):
            question = next(question for question in questions if question.form == form)
            asked.append(GoldenQuestion(question.text, Picture.of(picture)))
    return asked


def _chosen(examples: Sequence[Example], size: int, most: int) -> list[GoldenQuestion]:
    count = min(most, len(examples))
    taken = [examples[at * len(examples) // count] for at in range(count)]
    return [
        GoldenQuestion(example.question, None if example.image is None else _small(load_image(example.image), size))
        for example in taken
    ]


def _small(picture: Picture, size: int) -> Picture:
    """The picture with no side longer than ``size``, its shape kept as nearly as pixels allow."""
    longest = max(picture.image.size)
    if longest <= size:
        return picture
    width, height = (max(1, round(side * size / longest)) for side in picture.image.size)
    return Picture.of(picture.image.resize((width, height), Image.Resampling.BICUBIC))


def ask_engine(
    bundle: Bundle,
    tokenizer: Tokenizer,
    engine: Engine,
    examples: Sequence[Example] = (),
    progress: Progress = silent,
) -> Answers:
    """Get the engine's answers to what fits into the context: at most :data:`QUESTIONS` of ``examples``, evenly spread,
    or questions about phantoms.

    :class:`~edgekit.errors.ConfigError` where no question fits; errors as of pictures and of the engine.
    """
    spec, context = bundle.manifest.spec, bundle.manifest.context
    count = QUESTIONS if spec.decoder.layers * spec.decoder.hidden < _LARGE else QUESTIONS // 2
    asked = _chosen(examples, spec.image.size, count) if examples else phantoms(spec.image.size, count)
    embeddings, reader = Embeddings(engine), forced.Reader(engine)
    scripts: list[Script] = []
    questions: list[str] = []
    pictures: list[Picture] = []
    for at, question in enumerate(asked):
        prompt = prompt_of(spec, tokenizer, question.text, question.picture)
        room = min(TOKENS, context - len(prompt))
        if room > 0:
            answer = reader.answer(embeddings.rows(prompt, 0, len(prompt)), spec.stop_ids, room)
            if question.picture is not None and question.picture not in pictures:
                pictures.append(question.picture)
            index = None if question.picture is None else pictures.index(question.picture)
            scripts.append(Script(ids_of(prompt), index, answer))
            questions.append(question.text)
        progress("golden answers", at + 1, len(asked))
    if not scripts:
        raise ConfigError(
            f"No question about a picture fits into a context of {context} tokens", "Give the target a longer context."
        )
    return Answers(scripts, questions, pictures)


def prompt_of(spec: ModelSpec, tokenizer: Tokenizer, question: str, picture: Picture | None) -> Prompt:
    """Write down one question, as the model's template asks it."""
    return build(spec, tokenizer, [Turn(question, None, () if picture is None else (picture,))])


def ids_of(prompt: Prompt) -> tuple[int, ...]:
    """Return a prompt's token ids with :data:`~edgekit.check.golden.PICTURE` for each picture."""
    return tuple(
        token for piece in prompt.pieces for token in (piece.ids if isinstance(piece, TextPiece) else (PICTURE,))
    )


def _write_pictures(folder: Path, pictures: Sequence[Picture]) -> tuple[str, ...]:
    with writing(folder / PICTURES):
        (folder / PICTURES).mkdir(exist_ok=True)
    names = tuple(f"{PICTURES}/{at:02d}.png" for at in range(len(pictures)))
    for name, picture in zip(names, pictures, strict=True):
        with writing(folder / name):
            _fresh(picture).save(folder / name, "PNG")
    return names


def _fresh(picture: Picture) -> Image.Image:
    """The pixels alone, in grey where they are: half the bytes."""
    pixels = np.asarray(picture.image)
    return Image.fromarray(pixels[..., 0] if (pixels == pixels[..., :1]).all() else pixels)


def _kept_ids(vocab: int) -> tuple[int, ...]:
    """Token ids evenly spread over the vocabulary: their logits show a wrong decoder where it is sure of nothing."""
    count = min(KEPT_IDS, vocab)
    return tuple(at * vocab // count for at in range(count))


def _positions(answer: Sequence[int], logits: np.ndarray) -> tuple[Position, ...]:
    count = min(TOP, logits.shape[1])
    totals = logsumexp(logits.astype(np.float64))
    positions = []
    for token, row, total in zip(answer, logits, totals, strict=True):
        ids = np.argsort(-row, kind="stable")[:count]
        top = tuple(round(float(row[token_id]), 5) for token_id in ids)
        positions.append(
            Position(token, round(float(row[token]), 5), tuple(map(int, ids)), top, round(float(total), 5))
        )
    return tuple(positions)


def _outputs(
    read: ReferenceOutputs, rows: np.ndarray, logits: Sequence[np.ndarray], kept_ids: Sequence[int]
) -> Outputs:
    kept = np.concatenate([answer[:, list(kept_ids)] for answer in logits])
    return Outputs(read.features[:1], read.embeds[:1], rows, kept)
