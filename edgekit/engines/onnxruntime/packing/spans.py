"""Where a tensor's bytes lie, a range of a file; and the file to which a compiled graph's weights are appended.

In a graph that is being worked on, ``location`` is an absolute path; in a written one, a file name beside it, as
ONNX wants it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from onnx import TensorProto

from edgekit.errors import EngineError
from edgekit.files import writing

_PAGE = 4096  # ONNX Runtime maps only tensors that start at a page


@dataclass(frozen=True)
class Span:
    """``length`` bytes of ``file`` from ``offset`` on."""

    file: Path
    offset: int
    length: int

    def read(self) -> bytes:
        with self.file.open("rb") as stream:
            stream.seek(self.offset)
            return stream.read(self.length)


def span_of(tensor: TensorProto, folder: Path = Path()) -> Span | None:
    """Return where an external tensor's bytes lie; ``folder`` is its graph's. None for a tensor inside the graph."""
    fields = {entry.key: entry.value for entry in tensor.external_data}
    if tensor.data_location != TensorProto.EXTERNAL:
        return None
    return Span(folder / fields["location"], int(fields.get("offset", 0)), int(fields["length"]))


def point(tensor: TensorProto, location: str, span: Span) -> None:
    """Make ``tensor`` an external one; ``location`` is how its graph names the span's file."""
    tensor.ClearField("raw_data")
    del tensor.external_data[:]
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(span.offset)), ("length", str(span.length))):
        tensor.external_data.add(key=key, value=value)


def name_beside(tensor: TensorProto) -> None:
    """Name an external tensor's file as one that lies beside the graph."""
    for entry in tensor.external_data:
        if entry.key == "location":
            entry.value = Path(entry.value).name


def inline(tensor: TensorProto) -> TensorProto:
    """Return a copy with its bytes inside."""
    copy = TensorProto()
    copy.CopyFrom(tensor)
    if span := span_of(tensor):
        del copy.external_data[:]
        copy.data_location = TensorProto.DEFAULT
        copy.raw_data = span.read()
    return copy


class DataFile:
    """A file that grows by whole spans, copied by the kernel without passing through this process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> DataFile:
        with writing(self.path):
            self._stream = self.path.open("wb", buffering=0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.close()

    def append(self, span: Span) -> Span:
        """Copy a span of another file to the next page; where it lies now."""
        start = -(-self._stream.seek(0, os.SEEK_END) // _PAGE) * _PAGE
        with writing(self.path), span.file.open("rb", buffering=0) as source:
            self._stream.seek(start)
            done = 0
            while done < span.length:
                moved = os.sendfile(self._stream.fileno(), source.fileno(), span.offset + done, span.length - done)
                if not moved:
                    raise EngineError(f"{span.file} ends before its weights do", "Copy or build the bundle again.")
                done += moved
        return Span(self.path, start, span.length)

    def truncate(self, size: int) -> None:
        """Take back what was appended behind ``size`` bytes."""
        self._stream.truncate(size)

    def tell(self) -> int:
        return self._stream.seek(0, os.SEEK_END)
