"""What holds an answer to a form (JSON, a schema): at each step it says which tokens may come next."""

from __future__ import annotations

from typing import Protocol

from edgekit.engines.base import Logits


class Constraint(Protocol):
    """The state of one answer's form. Whatever it raises ends that answer with an error: no token goes on without it.

    ``allowed`` is asked before each token and ``accept`` told which one came, a stop token too; once it has ``ended``,
    nothing more may come and neither is called again.
    """

    @property
    def ended(self) -> bool:
        """Whether the answer is whole, so that nothing may follow."""
        ...

    def allowed(self, logits: Logits) -> Logits:
        """Return a copy of ``logits`` [vocab] with −∞ for each token that may not come next.

        A stop token may come only where the answer is whole.
        """
        ...

    def accept(self, token: int) -> None:
        """Go on to the state after ``token``, which ``allowed`` had left."""
        ...
