"""Prompts in, text out as it comes: schedule → run → postprocess, step by step, for many requests at once.

One thread at a time may use a :class:`Generator` (as the engine beneath it). Between two steps requests may
join (``submit``) and leave (``cancel``). What goes wrong inside one request ends that request only.
"""

from __future__ import annotations

import time
from collections import abc, deque
from collections.abc import Callable, Iterable, Iterator

from tokenizers import Tokenizer

from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.spec import ModelSpec
from edgekit.engines.base import Engine, Logits
from edgekit.errors import EdgeKitError, EngineError
from edgekit.inputs.prompt import Prompt
from edgekit.runtime.constraint import Constraint
from edgekit.runtime.embeddings import IMAGE_CACHE_BYTES, Embeddings
from edgekit.runtime.events import Event, Finished, TextDelta
from edgekit.runtime.forecast import Forecast
from edgekit.runtime.logprob_stream import LogprobStream
from edgekit.runtime.sampling import Sampler, SamplingParams
from edgekit.runtime.scheduler import Read, Scheduler
from edgekit.runtime.sequence import Completion, Reason, Sequence
from edgekit.runtime.text import TextStream

DEFAULTS = SamplingParams()


class Generator:
    """Runs requests on one engine: ``submit`` them and ``step`` while ``busy``, or ``stream`` one or ``generate`` many.

    ``image_cache_bytes`` of image embeddings are kept; ``clock`` gives seconds. What one caller sent is reused for no
    other, but for ``public``: the keys that every prompt begins with.
    """

    def __init__(
        self,
        engine: Engine,
        tokenizer: Tokenizer,
        spec: ModelSpec,
        image_cache_bytes: int = IMAGE_CACHE_BYTES,
        clock: Callable[[], float] = time.perf_counter,
        public: abc.Sequence[int] = (),
    ) -> None:
        self._engine = engine
        self._tokenizer = tokenizer
        self._stop_ids = frozenset(spec.stop_ids)
        self._stops = spec.template.stop
        self._clock = clock
        self._embeddings = Embeddings(engine, image_cache_bytes)
        self._scheduler = Scheduler(engine.slots, engine.context, engine.chunk, public)
        self._forecast = Forecast(self._scheduler)
        self._events: list[Event] = []

    def pool_images(self, pool: Callable[[Array], Array]) -> None:
        """Have completions tell from now on what ``pool`` makes of each image's rows ``[rows, hidden]``."""
        self._embeddings.pool = pool

    @property
    def busy(self) -> bool:
        """Whether another ``step`` has anything to do or to tell."""
        return self._scheduler.busy or bool(self._events)

    def submit(
        self,
        prompt: Prompt,
        params: SamplingParams = DEFAULTS,
        *,
        constraint: Constraint | None = None,
        caller: str = "",
        share: str = "",
        batch: bool = False,
    ) -> Sequence:
        """Queue a request, whose answer a ``constraint`` of its own may hold to a form.

        ``caller`` is whom the server knows to ask, never what a request says of itself: callers share the slots fairly,
        and what one of them sent is reused for no other. ``share`` is as whom it shares them, where several do as one.
        ``batch`` marks work that waits until nothing else does.
        :class:`InputError` when it can't fit into the context.
        """
        sequence = Sequence(
            prompt=prompt,
            max_tokens=params.max_tokens,
            sampler=Sampler(params, (key for key in prompt.keys if key >= 0), constraint),
            stream=self._stream(params),
            submitted=self._clock(),
            caller=caller,
            share=share,
            batch=batch,
        )
        self._forecast.joining()
        self._scheduler.add(sequence)
        return sequence

    def cancel(self, sequence: Sequence) -> None:
        """End a request early; nothing happens when it has ended. The next step tells it as :class:`Finished`."""
        if sequence.completion is None:
            self._finish(sequence, "cancelled")

    def place(self, sequence: Sequence) -> int:
        """Return 1 for the next to be given a slot if nobody else comes, 2 for the one after, …; 0 once it has one."""
        return self._forecast.place(sequence)

    def wait_s(self, sequence: Sequence) -> float | None:
        """Estimate the seconds until a slot is given, by answers that have ended; None while there are none."""
        return self._forecast.wait_s(sequence)

    def forget(self, caller: str) -> None:
        """Forget the keys and images kept of ``caller``'s requests, those of requests not yet ended when they end.

        Nothing of them is reused then. A slot's memory itself is overwritten by whatever comes next into it.
        """
        self._scheduler.forget(caller)
        self._embeddings.forget(caller)

    def step(self) -> list[Event]:
        """Read one chunk, decode one token for every sequence that has begun; return what came of it, in
        order."""
        return [event for events in self.halves() for event in events]

    def halves(self) -> Iterator[list[Event]]:
        """Do what ``step`` does; yield what came of reading before others decode, so that an answer's first text need
        not wait for their next. Take both, and submit and cancel nothing in between.
        """
        self._forecast.step()
        step = self._scheduler.schedule()
        if step.read is not None:
            self._prefill(step.read)
            if self._events and step.decode:
                yield self._untold()
        if step.decode:
            self._decode(step.decode)
        yield self._untold()

    def _untold(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def stream(self, prompt: Prompt, params: SamplingParams = DEFAULTS) -> abc.Generator[Event, None, None]:
        """Yield one request's events; raises its error. Closing the stream early cancels the request."""
        sequence = self.submit(prompt, params)
        try:
            while sequence.completion is None:
                events = self.step()
                self._events = [event for event in events if event.sequence is not sequence]
                yield from [event for event in events if event.sequence is sequence]
        finally:
            self._withdraw(sequence)
        if sequence.completion.error is not None:
            raise sequence.completion.error

    def generate(self, prompts: Iterable[Prompt], params: SamplingParams = DEFAULTS) -> Iterator[Completion]:
        """Yield the completions in the order of ``prompts``, which are taken only as slots come free.

        A request that fails gives a completion with its ``error``; one that can't fit raises :class:`InputError`.
        """
        prompts, ahead = iter(prompts), deque[Sequence]()
        try:
            while True:
                while len(ahead) < 2 * self._engine.slots and (prompt := next(prompts, None)) is not None:
                    ahead.append(self.submit(prompt, params))
                if not ahead:
                    return
                while (completion := ahead[0].completion) is None:
                    self._events = [event for event in self.step() if event.sequence not in ahead]
                ahead.popleft()
                yield completion
        finally:
            for sequence in ahead:
                self._withdraw(sequence)

    def _prefill(self, read: Read) -> None:
        sequence, slot = read.sequence, _slot(read.sequence)
        try:
            if read.source is not None:
                self._engine.copy(read.source, slot, read.start)
            embeds = self._embeddings.rows(sequence.prompt, read.start, read.stop, sequence.owner)
            logits = self._engine.prefill(slot, embeds, read.start)
        except Exception as error:  # whatever a picture or a runtime does, other requests go on
            self._finish(sequence, "error", _ours(error))
            return
        sequence.written = read.stop
        if sequence.state == "decoding":
            self._take(sequence, logits)

    def _decode(self, sequences: tuple[Sequence, ...]) -> None:
        try:
            logits = self._engine.decode([sequence.keys[-1] for sequence in sequences], [*map(_slot, sequences)])
        except Exception as error:
            for sequence in sequences:
                self._finish(sequence, "error", _ours(error))
            return
        for sequence, row in zip(sequences, logits, strict=True):
            sequence.written += 1
            self._take(sequence, row)

    def _take(self, sequence: Sequence, logits: Logits) -> None:
        """Sample ``sequence``'s next token, tell its text, and see whether it was the last."""
        try:
            token = sequence.sampler(logits)
        except Exception as error:  # a constraint is another library's: where it fails, nothing unconstrained goes on
            self._finish(sequence, "error", _ours(error))
            return
        sequence.times.append(self._clock())
        self._forecast.token(sequence.times[-1])
        if token in self._stop_ids:
            self._finish(sequence, "stop")
            return
        sequence.stream.weigh(token, logits)
        self._tell(sequence, sequence.append(token))
        if sequence.stream.stopped or sequence.sampler.ended:
            self._finish(sequence, "stop")
        elif len(sequence.ids) == sequence.max_tokens:
            self._finish(sequence, "length")

    def _finish(self, sequence: Sequence, reason: Reason, error: EdgeKitError | None = None) -> None:
        self._forecast.ending(sequence, reason)
        self._scheduler.finish(sequence, forget=error is not None)  # what a failed run wrote can't be trusted
        pooled = tuple(self._embeddings.pooled(piece, sequence.owner) for piece in sequence.prompt.images)
        if sequence.fleeting:
            self._embeddings.forget(sequence.owner)
        self._tell(sequence, sequence.finish(reason, error, pooled), last=True)
        assert sequence.completion is not None
        self._events.append(Finished(sequence, sequence.completion))

    def _tell(self, sequence: Sequence, text: str, last: bool = False) -> None:
        logprobs = sequence.stream.take() if text or last else ()
        if text or logprobs:
            self._events.append(TextDelta(sequence, text, logprobs))

    def _stream(self, params: SamplingParams) -> TextStream:
        stops = params.stop + self._stops
        if params.logprobs is None:
            return TextStream(self._tokenizer, stops)
        return LogprobStream(self._tokenizer, stops, params.logprobs)

    def _withdraw(self, sequence: Sequence) -> None:
        """Cancel ``sequence`` if it goes on, and forget its events: nobody waits for them any more."""
        self.cancel(sequence)
        self._events = [event for event in self._events if event.sequence is not sequence]


def _ours(error: Exception) -> EdgeKitError:
    """The error itself, or one of ours that names it."""
    if isinstance(error, EdgeKitError):
        return error
    failure = EngineError(f"The request failed: {type(error).__name__}: {error}", "Run with --debug for more.")
    failure.__cause__ = error
    return failure


def _slot(sequence: Sequence) -> int:
    assert sequence.slot is not None, "a scheduled sequence has a slot"
    return sequence.slot
