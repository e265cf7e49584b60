"""The audit: who did or looked at what, in lines that nobody can change, cut, remove or reorder unseen.

:mod:`~edgekit.ward.audit.audit` writes them, :mod:`~edgekit.ward.audit.verify` finds what is wrong with them, and
:mod:`~edgekit.ward.audit.replay` gives an answer again that one of them tells of. Nothing of a patient stands in one:
ids, numbers, words of a fixed list, and keyed hashes.
"""

from edgekit.ward.audit.answered import Answered
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.engine import engine_words
from edgekit.ward.audit.head import Head

__all__ = ["Answered", "Audit", "Head", "engine_words"]
