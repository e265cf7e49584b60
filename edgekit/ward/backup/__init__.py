"""Copies of what a ward keeps, made while it is used, and brought back: all of it but what was deleted since.

Data and keys are copied apart. A backup's texts and pictures are sealed by keys that lie in ``keys.db`` alone, so what
is deleted there can't be read in any backup any more, however old.

:mod:`~edgekit.ward.backup.make` makes one, :mod:`~edgekit.ward.backup.keys` copies the keys,
:mod:`~edgekit.ward.backup.restore` brings both back.
"""
