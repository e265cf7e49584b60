"""An install for people: its steps, how long nobody is answered, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgekit.cli.show.qr import code_lines
from edgekit.console import Console

if TYPE_CHECKING:
    from edgekit.deploy.journal import Operation
    from edgekit.deploy.layout import Layout
    from edgekit.deploy.order import Order
    from edgekit.deploy.steps import Hands

SHORT = 12


def show_steps(console: Console, release: str, lines: Sequence[str]) -> None:
    """Show what would be done."""
    if not lines:
        console.print(f"Release {release[:SHORT]} runs already, and all is as it should be: nothing would be done.")
        return
    console.print(f"Release {release[:SHORT]}. Nothing is done; these would be the steps:")
    for number, line in enumerate(lines, 1):
        console.print(f"{number:>3}  {line}")


def show_left_open(console: Console, order: Order) -> None:
    """Say what of the unit the device itself has to tell."""
    if order.left_open:
        what = " and ".join(order.left_open)
        console.note(f"Left for the device: {what}. `edgekit install` of the same bundle there writes its unit anew.")


def show_downtime_before(console: Console, order: Order, hands: Hands) -> None:
    """Say, before anything is done, how long the service that runs will not answer."""
    from edgekit.deploy.install import planned
    from edgekit.deploy.starting import Stop

    if order.image or not hands.layout.running():
        return
    if hands.layout.running() == order.release:
        if any(isinstance(step, Stop) for step in planned(order, hands)):
            console.note("Nobody is answered while the service is started anew.")
    elif order.stops_first:
        why = "this machine's GPU has room for one model"
        console.note(f"Nobody is answered while the new release is compiled, checked, measured and loaded: {why}.")
    else:
        console.note("Nobody is answered from the switch until the new release has loaded its model.")


def show_installed(
    console: Console, layout: Layout, release: str, operation: Operation | None, *, on_trial: bool
) -> None:
    """Show what is installed, how people reach it, and what is left to do."""
    from edgekit.deploy.install import downtime_s, notes_of
    from edgekit.deploy.mending import MEND
    from edgekit.deploy.states import standing
    from edgekit.deploy.trial import forced_of

    forced, downtime = forced_of(operation), downtime_s(operation) if operation else None
    page = _page(layout) if on_trial else {"url": "", "fingerprint": ""}
    document = {"release": release, "state": standing(layout).state, **page}
    more: dict[str, Any] = {"downtime_s": downtime, "forced": list(forced), "changed": operation is not None}
    console.document(document | more)
    for reason in forced:
        console.note(f"FORCED: {reason}. `edgekit status` keeps telling.")
    for note in notes_of(operation):
        console.note(note)
    if operation is None:
        console.print(f"Release {release[:SHORT]} runs already; nothing was changed.")
        return
    if operation.name == MEND:
        console.print(f"Release {release[:SHORT]} was installed already; what else was not as it should be is mended.")
        return
    if not on_trial:
        console.print(f"Release {release[:SHORT]} lies in {layout.root}. It was not tried: nothing runs there.")
        return
    console.print(f"Release {release[:SHORT]} answers, on trial.")
    if downtime is not None:
        console.print(f"Nobody was answered for {downtime:.1f} s.")
    _show_page(console, page, is_home=layout.is_home)


def _show_page(console: Console, page: dict[str, str], *, is_home: bool) -> None:
    console.heading(page["url"])
    if is_home:
        console.print("For this machine alone, and without a sign-in. It stands in the desktop's menu as EdgeKit.")
        console.print(
            "It is committed after ten healthy minutes, or by `edgekit commit --user`; back: `edgekit rollback --user`."
        )
        return
    console.code(lambda: code_lines(page["url"]))
    if page["fingerprint"]:
        console.print(f"Its authority's fingerprint (SHA-256): {page['fingerprint']}")
    else:
        console.print("It has no certificate. For other machines than this: edgekit tls make")
    console.print("The first account: edgekit user add NAME --admin")
    console.print("It is committed after ten healthy minutes, or by `edgekit commit`; back: `edgekit rollback`.")


def _page(layout: Layout) -> dict[str, str]:
    """Where the page lies, and the fingerprint to compare; what can't be told is empty."""
    from edgekit.errors import EdgeKitError

    try:
        from edgekit.serve.here import service_here
        from edgekit.serve.page_url import page_url
        from edgekit.serve.settings import settings
        from edgekit.serve.tls.authority import read_authority
        from edgekit.serve.tls.make import tls_folder

        authority = read_authority(tls_folder())
        url = page_url(settings(), tls_folder(), service_here(layout.data)).text
    except (EdgeKitError, ModuleNotFoundError):
        return {"url": "http://127.0.0.1:8080/", "fingerprint": ""}
    return {"url": url, "fingerprint": authority.fingerprint if authority else ""}
