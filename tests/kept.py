"""What every kept picture has to be, whatever it was before."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset

from edgekit.inputs.images import load_image
from edgekit.inputs.kept.keep import keep
from edgekit.inputs.kept.picture import KeptPicture


def kept_alike(content: bytes, frames: int | None = None) -> KeptPicture:
    """What is kept of a file: checked to show the same, and to be kept as it is when it is kept once more."""
    kept = keep(content)
    for frame in (None, *range(kept.facts.frames if frames is None else frames)):
        picture = load_image(kept.file, frame)
        assert picture.digest == load_image(content, frame).digest
        if frame is None:
            assert (kept.facts.width, kept.facts.height) == picture.image.size
    again = keep(kept.file)
    assert (again.file, again.facts, again.warnings) == (kept.file, kept.facts, kept.warnings)
    return kept


def keywords(instance: Dataset) -> Iterator[str]:
    """The keywords of a data set and of all items in it; a private element has none."""
    for element in instance:
        yield element.keyword
        if element.VR == "SQ":
            for item in element.value:
                yield from keywords(item)
