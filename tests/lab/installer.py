"""A process that installs one release over the other and commits each, with a stand-in for systemd, to have its power
cut; and what a machine does that starts after the cut.

``python -m tests.lab.installer ROOT BUNDLE [unflushed]`` prints a line when an install begins ("staged ID"), and one
when the release before it is left for good ("removes ID"): of what was told and not removed, one has to run. An
"unflushed" one leaves out what makes anything durable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from edgekit.bundle import Bundle, open_bundle
from edgekit.deploy import durable
from edgekit.deploy.here import at_boot
from edgekit.deploy.install import install
from edgekit.deploy.journal import Journal
from edgekit.deploy.layout import Layout
from edgekit.deploy.order import Order
from edgekit.deploy.record import record_of
from edgekit.deploy.staging import stage, verify_release
from edgekit.deploy.states import standing
from edgekit.deploy.steps import Hands
from edgekit.deploy.trial import commit, end_at_boot, watch
from edgekit.errors import EdgeKitError
from edgekit.machine import moment
from edgekit.progress import Progress
from tests.lab.cuts import Cut
from tests.lab.stager import code
from tests.releases import UNIT
from tests.services import StandInServices

FILES = {"/etc/systemd/system/edgekit.service": "a unit\n" * 200}
CONFIGURATION = {"/etc/default/edgekit": "EDGEKIT_PORT=8080\n" * 100}


def begin(layout: Layout, bundle: Bundle, number: int) -> tuple[Order, Hands]:
    """What a release is installed by."""
    identity = record_of(bundle.digest, code(number).packages(), UNIT).identity

    def write(path: Path, wheels: str, release: str, progress: Progress) -> None:
        stage(bundle, code(number), layout, UNIT, progress)

    order = Order(
        bundle=bundle.path,
        digest=bundle.digest,
        wheels="",
        release=identity,
        configuration=CONFIGURATION,
        watching={},
        unit=FILES,
    )
    hands = Hands(
        layout=layout,
        services=StandInServices(),
        stage=write,
        examine=lambda phase, path, progress: {},
        preflight=lambda path, wheels: None,
        verify=lambda path, progress: None,
    )
    return order, hands


def problems(root: Path, bundle: Bundle, one_of: set[str]) -> Iterator[str]:
    """Start the machine after a cut; what is not as it has to be, then and after the next install."""
    layout = Layout(root)
    order, hands = begin(layout, bundle, -1)
    try:
        end_at_boot(at_boot(hands))
        running = layout.running() or ""
        if running not in one_of:
            yield f"{running or 'nothing'} runs, and not one of {one_of}"
        if running:
            verify_release(layout.release(running), running)
        watch(hands, lambda: "")
        after, unfinished = standing(layout), Journal(layout.state).unfinished()
        if after.problems or after.trial or after.bad or unfinished or after.running not in one_of:
            yield f"the timer left {after}, {unfinished}"
        for path, text in (FILES | CONFIGURATION).items():
            if layout.at(path).read_text() != text:
                yield f"{path} is not whole"
        install(order, hands)
        commit(hands)
        verify_release(layout.release(order.release), order.release)
        if sorted(os.listdir(layout.releases)) != sorted({after.running, order.release}):
            yield f"the next install left {os.listdir(layout.releases)}"
    except (EdgeKitError, OSError) as error:
        yield str(error)


INSTALLING = Cut("tests.lab.installer", problems)


def main(root: Path, bundle: Path, *mode: str) -> None:
    """Install until it is killed; the machine's start is another one than of whoever looks after the cut."""
    if "unflushed" in mode:
        durable._sync = lambda descriptor: None
        durable.forget = lambda path: None  # which has the kernel begin to write
        os.fsync = lambda fd: None
    moment._BOOT_ID = root.parent / "boot"
    moment._BOOT_ID.write_text("the start that was cut")
    layout, opened, before = Layout(root), open_bundle(bundle), ""
    for number in count():
        order, hands = begin(layout, opened, number)
        print(f"staged {order.release}", flush=True)
        install(order, hands)
        commit(hands)
        if before:
            print(f"removes {before}", flush=True)
        before = order.release


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
