"""What systemd is told of the service: its unit, the one that goes back, its user, the device files that it may open.

The texts lie beside this as people read them, with ``$words`` for what differs between machines. Between releases of
one machine nothing in them differs, so that an upgrade has nothing to tell systemd.
"""

from edgekit.deploy.unit.nodes import nodes
from edgekit.deploy.unit.settings import Settings
from edgekit.deploy.unit.text import (
    TEMPLATE_SHA256,
    check_unit_text,
    rollback_unit_text,
    sysusers_text,
    unit_files,
    unit_text,
)

__all__ = [
    "TEMPLATE_SHA256",
    "Settings",
    "check_unit_text",
    "nodes",
    "rollback_unit_text",
    "sysusers_text",
    "unit_files",
    "unit_text",
]
