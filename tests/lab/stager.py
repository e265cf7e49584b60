"""A process that stages one release after the other and keeps two, to have its power cut.

``python -m tests.lab.stager ROOT BUNDLE [unflushed]`` prints a line when a release is there ("staged ID"), and one
before one is removed ("removes ID"). An "unflushed" one leaves out what makes a release durable: a lab that does not
find that is none.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from edgekit.bundle import open_bundle
from edgekit.deploy import durable
from edgekit.deploy.layout import Layout
from edgekit.deploy.staging import remove_release, stage
from tests.releases import UNIT, PlainCode

FILES, SIZE = 30, 6000


def code(number: int) -> PlainCode:
    """Some files that no two releases share, and some that all do."""
    own = {f"edgekit/own{index}.py": f"{number} {index}\n".encode() * (SIZE // 8) for index in range(FILES)}
    return PlainCode(own | {f"edgekit/same{index}.py": f"same {index}\n".encode() * 100 for index in range(FILES)})


def main(root: Path, bundle: Path, *mode: str) -> None:
    """Stage until it is killed."""
    if "unflushed" in mode:
        durable._sync = lambda descriptor: None
        durable.forget = lambda path: None  # which has the kernel begin to write
    layout, opened, kept = Layout(root), open_bundle(bundle), list[str]()
    for number in count():
        kept.append(stage(opened, code(number), layout, UNIT).identity)
        print(f"staged {kept[-1]}", flush=True)
        if len(kept) > 2:
            print(f"removes {kept[0]}", flush=True)
            remove_release(layout, kept.pop(0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
