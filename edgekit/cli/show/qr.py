"""A QR code in letters: two rows of it a line, by half blocks, with the quiet zone that readers need."""

from __future__ import annotations

_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Light is drawn, and dark is left: terminals are dark more often, and a code of light on dark reads on few phones."""
_QUIET = 2


def code_lines(text: str) -> list[str]:
    """Return the lines of the QR code of a text, its light squares as blocks."""
    import segno

    rows = [[not dark for dark in row] for row in segno.make_qr(text, error="l").matrix_iter(border=_QUIET)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return [
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
