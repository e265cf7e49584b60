"""``GET api/conversations/{id}/qr``: what binds a printed report to the audit.

That a report is made is a line of the audit; the code holds that line's head, ``SEQ:HMAC``, by which ``edgekit audit
verify --head`` says later whether the audit still holds all that it held then. So paper keeps what nobody who writes
the device's files can take back.
"""

from __future__ import annotations

import io

from edgekit.serve.ward.endpoint import Reply, Request
from edgekit.serve.ward.keeper import Store
from edgekit.serve.ward.shown import conversation_of

BORDER = 4
"""Light modules around a code: ISO/IEC 18004 wants as many."""


async def qr(request: Request) -> Reply:
    """Note that a report is made, and return the code for it."""
    owner, id, who = request.owner, request.part("conversation"), request.who

    def note(store: Store) -> str:
        conversation_of(store, owner, id)
        return str(store.audit.note("printed", who, conversation=id))

    return Reply(body=svg(await request.desk.keeper.call(note)), type="image/svg+xml")


def svg(text: str) -> bytes:
    """Return a QR code as an SVG picture, dark on white, without any style or script."""
    import segno

    picture = io.BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(
        picture, kind="svg", border=BORDER, dark="#000", light="#fff", svgclass=None, lineclass=None, xmldecl=False
    )
    return picture.getvalue()
