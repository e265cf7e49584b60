"""Answers held to JSON: a schema becomes llguidance's grammar, and that a constraint for each answer.

In: a bundle's tokenizer, and schemas as text. Out: grammars, which make constraints by the token. Schemas are
strangers': what compiles one here has compiled it before in a child with limits (:mod:`edgekit.serve.grammars`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from edgekit.engines.base import Logits
from edgekit.errors import EngineError, InputError, MissingExtra, gist

if TYPE_CHECKING:
    from llguidance import LLMatcher

LIMITS = {"max_grammar_size": 50_000, "initial_lexer_fuel": 200_000, "max_lexer_states": 20_000}
"""Below llguidance's own, which are a server's: a state takes one to two kilobytes, it says, and has 250,000. Schemas
of 12 KiB, of 200 strings with lengths or 600 choices, compiled in 16 ms with less than 1 MiB, well within these."""
SIMPLER = "Write a simpler schema: fewer keywords, shorter patterns, smaller lengths."


class SchemaConstraint:
    """Holds one answer to a grammar: a :class:`~edgekit.runtime.constraint.Constraint`.

    An :class:`~edgekit.errors.EngineError` says that the grammar could not go on; it has none of the answer's text.
    """

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher

    @property
    def ended(self) -> bool:
        return self._matcher.is_stopped()

    def allowed(self, logits: Logits) -> Logits:
        mask = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        self._demand(not self._matcher.is_error())  # its mask would let stop tokens through
        bits = np.unpackbits(mask, count=len(logits), bitorder="little").view(np.bool_)
        masked: Logits = np.where(bits, logits, np.float32(-np.inf))
        return masked

    def accept(self, token: int) -> None:
        self._demand(self._matcher.consume_token(token))

    def _demand(self, good: bool) -> None:
        if not good:
            raise EngineError(
                f"The answer could not be held to its schema (llguidance stopped: {self._matcher.stop_reason()})",
                SIMPLER,
            )


class Grammar:
    """A schema, compiled for one tokenizer."""

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher

    def constraint(self) -> SchemaConstraint:
        """Return a constraint that is at an answer's start; they share nothing that changes."""
        return SchemaConstraint(self._matcher.deep_copy())


class SchemaCompiler:
    """Compiles schemas for a ``tokenizer`` whose model has logits for ``vocab`` tokens and ends by ``stop_ids``.

    It takes up to a second to make, as the vocabulary is read: :class:`~edgekit.errors.MissingExtra` without
    llguidance, :class:`~edgekit.errors.EngineError` where that can't read the tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer, vocab: int, stop_ids: Sequence[int]) -> None:
        try:
            import llguidance
        except ImportError as error:
            raise MissingExtra("Holding answers to a schema", "serve") from error
        self._library = llguidance
        named = [token for token in stop_ids if tokenizer.id_to_token(token) is not None]
        try:
            self._tokenizer = llguidance.LLTokenizer(tokenizer.to_str(), n_vocab=vocab, eos_token=named or None)
        except ValueError as error:
            reason = gist(str(error), 200)
            raise EngineError(f"llguidance can't read the tokenizer: {reason}", "Serve another model.") from error

    def compile(self, schema: str) -> Grammar:
        """Compile a JSON schema, an object as text, and its first mask.

        :class:`~edgekit.errors.InputError` where it is none, asks for what llguidance can't promise, or for too much.
        """
        library = self._library
        limits = library.LLParserLimits(**LIMITS, verbose_errors=False)
        try:
            # Free whitespace invites a small model to write nothing else.
            grammar = library.LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
            matcher = library.LLMatcher(self._tokenizer, grammar, log_level=0, limits=limits)
            matcher.compute_bitmask()
        except ValueError as error:
            raise _unusable(str(error)) from error
        if matcher.is_error():
            raise _unusable(matcher.get_error())
        return Grammar(matcher)


def _unusable(reason: str) -> InputError:
    return InputError(f"The schema can't be used: {gist(' '.join(reason.split()), 250)}", SIMPLER)
