"""``python -m edgekit`` is ``edgekit``."""

import sys

from edgekit.cli.main import main

sys.exit(main())
