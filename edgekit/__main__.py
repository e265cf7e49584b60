"""``python -m edgekit`` is ``edgekit``."""

import sys

from edgekit.cli.program import start

sys.exit(start())
