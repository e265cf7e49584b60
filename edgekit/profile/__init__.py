"""What a bundle takes on this machine, each phase measured in a process of its own: memory, load time, speed; and the
gate that lets nothing be installed without."""

from edgekit.profile.gate import require_profile, require_within
from edgekit.profile.glance import Glance, glance
from edgekit.profile.judge import Compared, Row, against_plan, bandwidth_shares, judge
from edgekit.profile.judged import JudgedProfile
from edgekit.profile.profile import profile
from edgekit.profile.record import Profile
from edgekit.profile.store import load_profile, profiles

__all__ = [
    "Compared",
    "Glance",
    "JudgedProfile",
    "Profile",
    "Row",
    "against_plan",
    "bandwidth_shares",
    "glance",
    "judge",
    "load_profile",
    "profile",
    "profiles",
    "require_profile",
    "require_within",
]
