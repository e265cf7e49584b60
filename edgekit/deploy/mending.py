"""Installing the release again that is installed: what is not as it should be on this machine is mended, and no more.

Another driver has other device files, another machine another memory, somebody removed a file, the service has failed:
none of that is another release's business, and so nothing is staged, tried or on trial.
"""

from __future__ import annotations

from edgekit.deploy.marking import Watch
from edgekit.deploy.order import Order
from edgekit.deploy.owning import HandOver
from edgekit.deploy.placing import Configure, Place
from edgekit.deploy.starting import Revive, Stop
from edgekit.deploy.steps import UNIT, Hands, Step
from edgekit.deploy.trying import COMPILE, Examine

MEND = "mending"


def mending_steps(order: Order, hands: Hands, *, on_trial: bool) -> list[Step]:
    """Return the steps that bring the installed release's surroundings to what ``order`` says; none where they are.

    The service is started anew where it does not run, and where its unit is another one; while nothing is
    ``on_trial``, the timer is made to watch over that. One that answers by engines and does not run has those compiled
    again that are not believed.
    """
    configuration = [Configure(path, text) for path, text in order.configuration.items()]
    watching, unit = Place(order.watching, order.enabled, order.users), Place(order.unit, (UNIT,))
    is_another, is_down = bool(unit.before(hands)), not order.image and not hands.services.state(UNIT).runs
    is_whole = all(step.before(hands) for step in configuration) and not watching.before(hands)
    if is_whole and not is_another and not is_down:
        return []
    around: list[Step] = [*configuration, watching, *(HandOver(path, user) for path, user in order.owned.items())]
    if order.image or not (is_another or is_down):
        return [*around, unit]
    tries = [Examine(COMPILE, order.release)] if order.stops_first and is_down else []
    return [*around, *(() if on_trial else (Watch(),)), Stop(), *tries, unit, Revive()]
