"""A model one block at a time, in float32: what calibrates it, and what a bundle is checked against.

A 7B model's weights are read once, a block's are held at a time; every sample goes through a block before the next one
is read. The blocks are described by the words that export uses, so they are the graphs' own layers.
"""

from __future__ import annotations

from edgekit.blocks.block import Block, Floats
from edgekit.blocks.model import BlockModel

__all__ = ["Block", "BlockModel", "Floats"]
