"""Runtimes behind one protocol (:mod:`edgekit.engines.base`); a new backend is one file."""
