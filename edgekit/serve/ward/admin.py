"""``GET api/admin`` and ``GET api/support``: how the service fares, for whoever looks after it; nothing of patients."""

from __future__ import annotations

import asyncio
import json
import shutil

from edgekit.check.nightly import nightly_here
from edgekit.engines.lock import forms
from edgekit.machine.memory import memory
from edgekit.serve.refusal import Refusal
from edgekit.serve.service import Service
from edgekit.serve.ward.desk import Desk
from edgekit.serve.ward.documents import (
    AdminDocument,
    CertificateFacts,
    DiskFacts,
    FailureFacts,
    GoldenFacts,
    MemoryFacts,
    NightlyFacts,
    QueueFacts,
    SignedIn,
    SlotFacts,
    iso,
)
from edgekit.serve.ward.endpoint import Reply, Request, document
from edgekit.serve.ward.entrance import THIS_MACHINE
from edgekit.serve.ward.keeper import Store


async def figures(request: Request) -> Reply:
    """Say how the service fares."""
    require_admin(request)
    desk = request.desk
    signed_in = await desk.keeper.call(_signed_in, eases=False) if desk.keeper.is_there else []
    golden, certificates = await asyncio.to_thread(_golden, desk.service), await asyncio.to_thread(_certificates, desk)
    engine, slots = desk.service.engine, desk.service.model.engine.slots
    waiting = len(engine.waiting)
    running = len(engine.live) - waiting
    return document(
        AdminDocument(
            started=iso(desk.started_s),
            queue=QueueFacts(running=running, waiting=waiting),
            slots=SlotFacts(all=slots, busy=min(running, slots)),
            memory=_memory(desk.service),
            disk=_disk(desk),
            signed_in=signed_in,
            errors=[
                FailureFacts(time=iso(each.at_s), code=each.code) for each in reversed(desk.service.metrics.failures)
            ],
            certificates=certificates,
            golden=golden,
            nightly=await asyncio.to_thread(_nightly),
        )
    )


async def support(request: Request) -> Reply:
    """Return the archive for help from afar; ``x-archive`` says what is in it, for whoever is to see that first."""
    from edgekit.serve.support import support_here

    require_admin(request)
    desk, who = request.desk, request.who
    if desk.keeper.is_there:
        await desk.keeper.call(lambda store: store.audit.note("support", who))
    archive = await asyncio.to_thread(support_here, desk.keeper.state, desk.service.model.bundle.path)
    shown = json.dumps({"name": archive.file_name, "files": archive.files}, separators=(",", ":"))
    headers = {"content-disposition": f'attachment; filename="{archive.file_name}"', "x-archive": shown}
    return Reply(body=await asyncio.to_thread(archive.content), type="application/gzip", headers=headers)


def require_admin(request: Request) -> None:
    """Refuse, with status 403, whoever is no admin. Before there are accounts, who sits at the machine is one."""
    session = request.visit.session
    if not (session.account.role == "admin" if session else request.owner == THIS_MACHINE):
        raise Refusal(403, "This is for an admin.", "admin_needed")


def _signed_in(store: Store) -> list[SignedIn]:
    return [
        SignedIn(name=session.account.name, since=iso(session.begun_s), seen=iso(session.seen_s), locked=session.locked)
        for session in store.ward.sessions.active()
    ]


def _memory(service: Service) -> MemoryFacts:
    """What this process has in RAM, beside what its target's budget lets it have there."""
    target = service.manifest.target
    budget = None if target.kind.on_gpu else target.budget.memory_bytes or target.budget.dynamic_bytes
    return MemoryFacts(used_bytes=memory().resident_bytes, budget_bytes=budget)


def _disk(desk: Desk) -> DiskFacts:
    folder = desk.keeper.state
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return DiskFacts(free_bytes=usage.free, all_bytes=usage.total)


def _certificates(desk: Desk) -> list[CertificateFacts]:
    return [CertificateFacts(name=name, until=iso(day.timestamp())) for name, day in desk.until().items()]


def _golden(service: Service) -> GoldenFacts | None:
    """What the last golden check on this machine said; None where none was kept."""
    from edgekit.check.verdict import verdict_of

    try:
        verdicts = [verdict_of(form.folder) for form in forms(service.model.bundle)]
    except OSError:
        return None
    last = max((verdict for verdict in verdicts if verdict), key=lambda verdict: verdict.checked_at, default=None)
    return GoldenFacts(time=last.checked_at, agrees=not last.shortfall) if last else None


def _nightly() -> NightlyFacts | None:
    nightly = nightly_here()
    if nightly is None:
        return None
    return NightlyFacts(
        files=nightly.files.outcome,
        answers=nightly.answers.outcome,
        files_time=nightly.files.at,
        answers_time=nightly.answers.at,
        findings=[finding.what for part in nightly.parts.values() for finding in part.findings],
    )
