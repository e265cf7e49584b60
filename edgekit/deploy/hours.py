"""When the nightly check may stop the service: only if the site says so, and only in the hours that it names.

A timer makes up in the morning for a night in which the machine was off; nobody is to wait for the service then.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from edgekit.deploy.layout import ENVIRONMENT
from edgekit.machine.moment import RELEASED

SETTING: Final = "EDGEKIT_CHECK_STOPS"
_FORM: Final = re.compile(r"(\d{1,2})-(\d{1,2})")


def forbidden(setting: str, now: datetime) -> str:
    """Say why the service may not be stopped ``now``, which knows its zone; "" where it may.

    ``setting`` names hours of the local clock, "2-5": from two until five; "22-4" goes over midnight, "0-24" is always.
    """
    if not setting:
        return f"{SETTING} in {ENVIRONMENT} does not let the service be stopped for it"
    match = _FORM.fullmatch(setting)
    begin, end = (int(hour) for hour in match.groups()) if match else (0, 0)
    if begin == end or begin > 23 or end > 24:
        return f"{SETTING}={setting[:20]} in {ENVIRONMENT} names no hours, such as 2-5"
    if now < RELEASED:
        return f"the clock, which says {now:%Y-%m-%d}, is wrong: nobody knows whether it is night"
    is_within = begin <= now.hour < end if begin < end else now.hour >= begin or now.hour < end
    return "" if is_within else f"the service may be stopped for it from {begin} until {end} o'clock, and not now"
