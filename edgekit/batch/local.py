"""A list asked of a bundle that is open here, in all of its slots at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import groupby
from operator import attrgetter

from edgekit.batch.ahead import ahead
from edgekit.batch.answer import Answer, failed
from edgekit.batch.pictures import Files, Pictures
from edgekit.batch.rows import Row
from edgekit.confidence.of_answer import AnswerConfidence
from edgekit.errors import ContextExceeded, EdgeKitError
from edgekit.inputs.prepared import PreparedPicture
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.model import Model


class Local:
    """Answers by a model of this process, about ``pictures`` (None: files); an
    :class:`~edgekit.batch.answer.Answerer`."""

    def __init__(self, model: Model, pictures: Pictures | None = None) -> None:
        self.model = model.bundle.manifest.source
        self.fingerprint: str | None = model.fingerprint
        self._model = model
        self._pictures = Files() if pictures is None else pictures

    def answers(self, rows: Sequence[Row], params: SamplingParams) -> Generator[tuple[Row, Answer], None, None]:
        """Yield the rows' answers in their order, but for rows without one, which come as soon as that is known."""
        asked: deque[tuple[Row, _Read]] = deque()
        lost: deque[tuple[Row, Answer]] = deque()
        with closing(self._prompts(rows, asked, lost)) as prompts:
            for completion in self._model.generator.generate(prompts, params):
                row, read = asked.popleft()
                while lost:
                    yield lost.popleft()
                yield row, read.answer(row.question, completion)
            yield from lost

    def _prompts(
        self, rows: Sequence[Row], asked: deque[tuple[Row, _Read]], lost: deque[tuple[Row, Answer]]
    ) -> Generator[Prompt, None, None]:
        """The prompts of rows that can be asked; pictures of neighbours are read once, while those before are asked."""
        groups = [list(group) for _, group in groupby(rows, attrgetter("images"))]
        with closing(ahead([group[0] for group in groups], self._read)) as reads:
            for group, read in zip(groups, reads, strict=True):
                for row in group:
                    prompt = self._prompt(row, read)
                    if isinstance(prompt, EdgeKitError):
                        lost.append((row, failed(prompt, read.digests)))
                    else:
                        asked.append((row, read))
                        yield prompt

    def _read(self, row: Row) -> _Read:
        """A row's pictures, each as small as the model looks at it: many wait at once, and whole ones may be large."""
        digests: list[str] = []
        try:
            digests = self._pictures.digests(row)
            pictures = [self._pictures.picture(row, number) for number in range(len(digests))]
            spec = self._model.bundle.manifest.spec.image
            return _Read(digests, [PreparedPicture.of(picture, spec) for picture in pictures])
        except EdgeKitError as error:
            return _Read(digests, (), error)

    def _prompt(self, row: Row, read: _Read) -> Prompt | EdgeKitError:
        """What is asked, or why it can't be."""
        if read.error is not None:
            return read.error
        try:
            prompt = self._model.prompt([Turn(row.question, images=tuple(read.pictures))])
        except EdgeKitError as error:
            return error
        context = self._model.engine.context
        return prompt if len(prompt) < context else ContextExceeded(len(prompt), context)


class _Read:
    """The pictures of a row, which its neighbours may share; ``error``: why they can't be looked at."""

    def __init__(
        self, digests: Sequence[str], pictures: Sequence[PreparedPicture], error: EdgeKitError | None = None
    ) -> None:
        self.digests = tuple(digests)
        self.pictures = pictures
        self.error = error

    def answer(self, question: str, completion: Completion) -> Answer:
        """Return what came of a question about these pictures."""
        if completion.error is not None:
            return failed(completion.error, self.digests)
        return Answer(
            sha256=self.digests,
            text=completion.text,
            reason=completion.reason,
            tokens=completion.tokens,
            seed=completion.seed,
            notes=tuple(dict.fromkeys(note for picture in self.pictures for note in picture.notes)),
            confidence=AnswerConfidence.of(question, completion.logprobs),
        )
