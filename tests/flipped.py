"""One flipped bit in a file of a bundle, at one place after another: which of them goes unseen?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgekit.bundle import open_bundle
from edgekit.engines.verify import verify_everything
from edgekit.errors import EdgeKitError


def flip(file: Path, at: int, bit: int) -> None:
    with file.open("r+b") as stream:
        stream.seek(at)
        (byte,) = stream.read(1)
        stream.seek(at)
        stream.write(bytes([byte ^ 1 << bit]))


def seen(bundle: Path) -> str:
    """What opening and verifying say of a bundle; "" where it is whole."""
    try:
        verify_everything(open_bundle(bundle))
    except EdgeKitError as error:
        assert error.exit_code in (1, 3)
        assert error.hint
        return error.message
    return ""


def unseen(bundle: Path, files: str = "*") -> Iterator[str]:
    """Flip a bit of each file that a pattern names, at its first byte, its last and between: those that nothing named.

    Records that carry their own seal are small, and are flipped at many more places.
    """
    for file in sorted(file for file in bundle.rglob(files) if file.is_file()):
        name, size = file.relative_to(bundle).as_posix(), file.stat().st_size
        count = 64 if b'"seal": "' in file.read_bytes()[-80:] else 3
        for at in sorted({number * (size - 1) // (count - 1) for number in range(count)}):
            bit = at * 5 % 8
            flip(file, at, bit)
            if name not in (said := seen(bundle)):
                yield f"{name}: bit {bit} of byte {at}: {said}"
            flip(file, at, bit)
