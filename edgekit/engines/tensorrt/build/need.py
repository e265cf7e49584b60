"""The memory that building a plan takes, beside what is free: said before one starts, and where one ran out.

TensorRT reads a graph's weights as a whole and converts them, so that its peak follows from their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.engines.coefficients import coefficients
from edgekit.machine.room import available_memory, free_swap
from edgekit.units import format_bytes

_KIND = "tensorrt"  # whose coefficients count


@dataclass(frozen=True)
class Need:
    """Of building one graph: ``bytes`` as a plan counts them, and what is free now, without swap and with it; 0 where
    the kernel doesn't say."""

    graph: str
    bytes: int
    free_memory_bytes: int
    free_bytes: int

    @property
    def slow(self) -> bool:
        """Whether it would swap."""
        return 0 < self.free_memory_bytes < self.bytes

    @property
    def unlikely(self) -> bool:
        """Whether it would most likely be ended by the system."""
        return 0 < self.free_bytes < self.bytes

    @property
    def text(self) -> str:
        free = f", and {format_bytes(self.free_bytes)} was free when it began" if self.free_bytes else ""
        return f"Building {self.graph} takes about {format_bytes(self.bytes)} of memory{free}"

    @property
    def remedy(self) -> str:
        """What to do where memory ran out."""
        return (
            f"{self.text}. Close other programs, those that use the GPU too; or build the bundle by a recipe with "
            "narrower weights; or, for an RTX card, compile it on a machine with more memory."
        )


def need(graph: Path, root: Path = Path("/")) -> Need:
    """Return what building ``graph``, its external data beside it, takes on the machine whose ``/proc`` lies under
    ``root``.

    :class:`~edgekit.errors.ConfigError` where the site's coefficients say something wrong.
    """
    table, data = coefficients(_KIND), graph.with_name(f"{graph.name}.data")
    weights = data.stat().st_size if data.is_file() else 0
    memory = available_memory(root)
    free = memory + free_swap(root) if memory else 0
    return Need(graph.name, table.compile_base.size_bytes + round(table.compile_matrix.ratio * weights), memory, free)
