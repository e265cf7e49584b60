"""Preflight of a machine: what it has, what it lacks for a target, and the command that mends it.

:func:`examine` reads a :class:`~edgekit.machine.host.Host` and returns a report of diagnoses. Nothing is written,
nothing needs root, and nothing here imports the runtimes that it asks about: a broken one must not end the doctor.
"""

from edgekit.doctor.diagnosis import Diagnosis, Report
from edgekit.doctor.examine import examine
from edgekit.machine.host import Host

__all__ = ["Diagnosis", "Host", "Report", "examine"]
