"""How many entries a palette has that is written as segments (PS3.3 C.7.9.2), counted before anybody draws it out.

Three words can stand for 65,535 entries, and a segment for many others: a small file could fill any memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from edgekit.inputs.dicom.header import Unusable

_MOST_ENTRIES = 2**16
_MOST_WORDS = 4 * _MOST_ENTRIES  # segments of one entry take three
_MOST_COPIES = 2**8
_DISCRETE, _LINEAR, _COPY = 0, 1, 2


def check_segments(words: Sequence[int], offset_words: int) -> None:
    """Raise :class:`Unusable` for segments that make more entries than a palette has, or copy what is a copy.

    An offset takes ``offset_words`` words: 2 of 16 bits, 4 of 8. What else is wrong is for who draws them out, pydicom,
    to say: it counts offsets in words, and takes 0 segments to copy for all that are left.
    """
    copies = entries = 0
    if len(words) > _MOST_WORDS:
        raise Unusable(f"a segmented palette of {len(words)} words is not supported")
    for kind, length, offset in _segments(words, 0, offset_words):
        if kind == _COPY:
            copies += 1
            copied = [*islice(_segments(words, offset, offset_words), length or None)]
            if copies > _MOST_COPIES or any(other == _COPY for other, _, _ in copied):
                raise Unusable("a segmented palette of so many copies is not supported")
            length = sum(count for _, count, _ in copied)
        entries += length
        if entries > _MOST_ENTRIES:
            raise Unusable(f"a segmented palette of more than {_MOST_ENTRIES} entries is not supported")


def _segments(words: Sequence[int], at: int, offset_words: int) -> Iterator[tuple[int, int, int]]:
    """Each segment from word ``at`` on: its kind, its length, and of one that copies from where; others end this."""
    while at + 1 < len(words):
        kind, length = words[at], words[at + 1]
        sizes = {_DISCRETE: length, _LINEAR: 1, _COPY: offset_words}
        if kind not in sizes:
            return
        value = words[at + 2 : at + 2 + offset_words] if kind == _COPY else ()
        bits = 32 // offset_words
        yield kind, length, sum(int(word) << (bits * place) for place, word in enumerate(value))
        at += 2 + sizes[kind]
