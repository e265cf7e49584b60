"""Preflight of a machine: what it has, what it lacks for a target, and the command that mends it.

:func:`examine` reads a :class:`~edgekit.machine.host.Host` and returns a report of findings. Nothing is written,
nothing needs root, and nothing here imports the runtimes that it asks about: a broken one must not end the doctor.
"""

from edgekit.doctor.examine import examine
from edgekit.doctor.finding import Finding, Report
from edgekit.machine.host import Host

__all__ = ["Finding", "Host", "Report", "examine"]
