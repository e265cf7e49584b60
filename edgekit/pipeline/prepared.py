"""What a machine makes of a bundle for itself: its compiled form, and how that answers; or why there is none."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import Any

from edgekit import machine
from edgekit.bundle import Bundle
from edgekit.check import Checked
from edgekit.check.verdict import check_here
from edgekit.engines.compile import Compiled, NotCompiled, compile_bundle, compile_here
from edgekit.engines.place import gpu_for
from edgekit.errors import EdgeKitError, GateRefused
from edgekit.plan.doubts import doubts
from edgekit.progress import Progress, silent


@dataclass(frozen=True)
class Prepared:
    """A bundle, and what the machine that compiled it has of it.

    - ``bundle``: the sealed bundle.
    - ``form``: its compiled form, for this machine or ahead for a device; or why there is none.
    - ``checked``: what the golden check said of plans that were just built for this machine's GPU; None for any other
      form, and where they could not be asked.
    - ``unasked``: why those plans could not be asked; they are there all the same.
    """

    bundle: Bundle
    form: Compiled | NotCompiled
    checked: Checked | None = None
    unasked: EdgeKitError | None = None

    @property
    def compiled(self) -> Compiled | None:
        """The compiled form, where there is one."""
        return self.form if isinstance(self.form, Compiled) else None

    @property
    def refused(self) -> NotCompiled | None:
        """Why there is no compiled form, where there is none."""
        return self.form if isinstance(self.form, NotCompiled) else None

    @property
    def needs_plans(self) -> bool:
        """Whether devices of the bundle's target answer by plans alone."""
        return self.bundle.manifest.target.kind.needs_plans

    @property
    def why(self) -> str | None:
        """Why nothing was compiled here, or why what was could not be asked; None where neither is so."""
        error = self.refused.why if self.refused else self.unasked
        return None if error is None else str(error)

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is not as it should be with the compiled form, a sentence each."""
        return self.compiled.doubts if self.compiled else ()

    @property
    def answers(self) -> bool:
        """Whether this machine answers by the bundle: a device needs its plans, any other takes its processor."""
        if not self.needs_plans or (self.compiled and not self.compiled.ahead):
            return self.unasked is None
        try:
            return gpu_for(self.bundle.manifest.target, machine.look()) is None
        except EdgeKitError:
            return False

    @property
    def failure(self) -> EdgeKitError | None:
        """Why the plans must not be relied on: they could not be asked, or their answers fall short; else None."""
        if self.unasked is not None or self.checked is None or self.checked.passed:
            return self.unasked
        return GateRefused(self.checked.shortfall, self.checked.advice)

    @property
    def next_step(self) -> str:
        """What is still to do with a form that was compiled ahead; "" where nothing is."""
        if self.compiled is None or not self.compiled.ahead:
            return ""
        check_it = f"edgekit check {shlex.quote(str(self.bundle.path))}"
        try:
            gpu_for(self.bundle.manifest.target, machine.look())
        except EdgeKitError as error:
            return f"They can't be checked: {error.message}\n{error.hint}\nThen run: {check_it}"
        return f"They can't be checked here. On the device, run: {check_it}"

    def document(self) -> dict[str, Any]:
        """Return what ``edgekit compile --json`` writes; only plans have more than the form."""
        if self.compiled is None:
            return {"why": self.why}
        form = self.compiled.document()
        checked = self.checked.document() if self.checked else None
        return {**form, "check": checked, "why": self.why} if self.compiled.plans else form


def prepare(bundle: Bundle, progress: Progress = silent) -> Prepared:
    """Compile ``bundle`` for this machine and ask the result; errors as of
    :func:`~edgekit.engines.compile.compile_bundle`."""
    return _asked(bundle, compile_bundle(bundle, progress), progress)


def prepare_here(bundle: Bundle, progress: Progress = silent) -> Prepared:
    """Do as :func:`prepare` where this machine is of the target's kind; the result says why not where it can't."""
    form = compile_here(bundle, progress)
    return _asked(bundle, form, progress) if isinstance(form, Compiled) else Prepared(bundle, form)


def _asked(bundle: Bundle, form: Compiled, progress: Progress) -> Prepared:
    """Ask the golden questions of plans that were just built for this machine's GPU.

    Where they can't be asked, that is no error here: they are there all the same, and there is more to say of them.
    """
    if form.plans:
        form = replace(form, doubts=doubts(bundle, form.plans))
    if not form.plans or form.ahead:
        return Prepared(bundle, form)
    try:
        return Prepared(bundle, form, checked=check_here(bundle, progress))
    except EdgeKitError as error:
        return Prepared(bundle, form, unasked=error)
