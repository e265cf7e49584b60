"""Every kind of step that a journal may hold, by its name there."""

from __future__ import annotations

from edgekit.deploy.added import KeepApart
from edgekit.deploy.marking import BeginTrial, Commit, Prune, Watch
from edgekit.deploy.owning import HandOver
from edgekit.deploy.placing import Configure, Place, Switch
from edgekit.deploy.starting import Revive, Start, Stop
from edgekit.deploy.steps import Step
from edgekit.deploy.trying import Examine, Preflight, Stage, Verify

KINDS: dict[str, type[Step]] = {
    kind.__name__: kind
    for kind in (
        *(Preflight, Verify, Stage, KeepApart, Examine, Configure, BeginTrial, Stop),
        *(Place, HandOver, Switch, Start, Revive, Commit, Prune, Watch),
    )
}
