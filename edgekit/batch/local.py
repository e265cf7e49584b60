"""A list asked of a bundle that is open here, in all of its slots at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence

from edgekit.batch.answer import Answer, failed
from edgekit.batch.pictures import Files, Pictures
from edgekit.batch.rows import Row
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
        for completion in self._model.generator.generate(self._prompts(rows, asked, lost), params):
            row, read = asked.popleft()
            while lost:
                yield lost.popleft()
            yield row, read.answer(completion)
        yield from lost

    def _prompts(
        self, rows: Sequence[Row], asked: deque[tuple[Row, _Read]], lost: deque[tuple[Row, Answer]]
    ) -> Iterator[Prompt]:
        """The prompts of rows that can be asked; pictures of neighbours are read once."""
        read: _Read | None = None
        for row in rows:
            digests: list[str] = []
            try:
                if read is None or read.images != row.images:
                    read = None
                    digests = self._pictures.digests(row)
                    read = _Read(row.images, digests, [self._picture(row, number) for number in range(len(digests))])
                prompt = self._model.prompt([Turn(row.question, images=tuple(read.pictures))])
                if len(prompt) >= self._model.engine.context:
                    raise ContextExceeded(len(prompt), self._model.engine.context)
            except EdgeKitError as error:
                lost.append((row, failed(error, digests if read is None else read.digests)))
            else:
                asked.append((row, read))
                yield prompt

    def _picture(self, row: Row, number: int) -> PreparedPicture:
        """A picture as small as the model looks at it: many wait at once, and whole ones may be large."""
        return PreparedPicture.of(self._pictures.picture(row, number), self._model.bundle.manifest.spec.image)


class _Read:
    """The pictures of a row, which its neighbours may share."""

    def __init__(self, images: tuple[str, ...], digests: Sequence[str], pictures: Sequence[PreparedPicture]) -> None:
        self.images = images
        self.digests = tuple(digests)
        self.pictures = pictures

    def answer(self, completion: Completion) -> Answer:
        """Return what came of a row with these pictures."""
        if completion.error is not None:
            return failed(completion.error, self.digests)
        return Answer(
            sha256=self.digests,
            text=completion.text,
            reason=completion.reason,
            tokens=completion.tokens,
            seed=completion.seed,
            notes=tuple(dict.fromkeys(note for picture in self.pictures for note in picture.notes)),
        )
