"""The process that is measured: ``python -m edgekit.profile BUNDLE QUESTION IMAGE``.

It says on stdout, as one JSON array, ``["done", profile]`` or ``["error", message, hint]``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edgekit import config
from edgekit.errors import EdgeKitError
from edgekit.profile.profile import measure


def main(bundle: str, question: str, image: str) -> None:
    try:
        answer = ["done", config.dump(measure(Path(bundle), question, Path(image)))]
    except EdgeKitError as error:
        answer = ["error", error.message, error.hint]
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
