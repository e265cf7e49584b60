"""What helps from afar: how a machine and its service fare, in one archive that holds nothing of patients.

:func:`~edgekit.support.support.support` gathers it, topic by topic (:mod:`~edgekit.support.topic`);
:mod:`~edgekit.support.archive` packs it.
"""

from edgekit.support.archive import Archive
from edgekit.support.support import support
from edgekit.support.topic import Subject, Topic

__all__ = ["Archive", "Subject", "Topic", "support"]
