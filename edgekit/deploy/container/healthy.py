"""A container's health check: the service is asked as whoever uses it would, from inside; exit code 1 says why not.

That it answers by its GPU needs no question: it would not have started else (:mod:`edgekit.deploy.container.start`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from edgekit.config.state import state_folder
from edgekit.deploy.health import Address, unanswered


def why_not(variables: Mapping[str, str]) -> str:
    """Say why the service of this container can't be asked; "" where it can."""
    port = variables.get("EDGEKIT_PORT", "")
    otherwise = Address(variables.get("EDGEKIT_HOST", Address.host), int(port) if port.isdecimal() else Address.port)
    return unanswered(state_folder(), otherwise)


if __name__ == "__main__":
    sys.exit(why_not(os.environ) or 0)
