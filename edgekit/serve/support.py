"""What the service adds to what helps from afar: its settings, how many tokens there are, its certificates' dates.

In: the site's files. Out: topics of :mod:`edgekit.support`, without a secret, a key or a token's name. Nothing of the
extra ``serve`` is needed but for certificates.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.errors import ConfigError, EdgeKitError
from edgekit.machine.host import Host
from edgekit.progress import Progress, silent
from edgekit.support import Archive, Subject, Topic, support


def support_here(state: Path, bundle: Path | None = None, progress: Progress = silent) -> Archive:
    """Gather what helps from afar with this machine's service, which keeps what it keeps in ``state``, and serves
    ``bundle`` (None: the one that `edgekit serve` takes by itself, if there is one); raises nothing."""
    host = Host(folder=state)  # where nobody's folders lie: the one that this is run in may be called after anybody
    subject = Subject(host=host, state=state, bundle=bundle or _bundle())
    return support(subject, TOPICS, progress)


def _bundle() -> Path | None:
    from edgekit.serve.bundle import bundle_that_is_here

    return bundle_that_is_here()


def settings(subject: Subject) -> Any:
    """Return the settings that hold; the error where ``serve.toml`` says what it can't mean."""
    from edgekit.serve.settings import settings as read_settings

    return read_settings()


def access(subject: Subject) -> dict[str, Any]:
    """Return how many tokens there are; what is wrong with them is told by their names, and so not here."""
    from edgekit.serve.tokens import read_tokens, tokens_file

    try:
        tokens = read_tokens(tokens_file())
    except ConfigError:
        raise EdgeKitError("tokens.toml can't be used", "edgekit token list says why, and what to do.") from None
    return {"tokens": len(tokens), "batch_tokens": sum(token.batch for token in tokens)}


def certificates(subject: Subject) -> dict[str, Any]:
    """Return what this machine's authority and certificate are for, and until when."""
    from edgekit.serve.tls.clock import now
    from edgekit.serve.tls.make import show, tls_folder

    return show(tls_folder(), now()).document()


TOPICS = (
    Topic("settings.json", "serve.toml, with what it leaves out", settings),
    Topic("tokens.json", "how many API tokens there are", access),
    Topic("certificates.json", "whom certificates are for, and until when", certificates),
)
