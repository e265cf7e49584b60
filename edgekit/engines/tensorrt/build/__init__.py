"""Compiling: a bundle's graphs become plans, each in a process of its own (``python -m`` this package)."""
