"""The demo's last step at a terminal: its bundle as a service on this machine, with its page and phantoms to try.

What is kept lies below the demo's own folder, with the settings and the key that belong to it: the machine's own
service, if there is one, is not touched, and neither are its tokens asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgekit.config.state import state_folder
from edgekit.demo.samples import samples
from edgekit.errors import InputError
from edgekit.serve.listener import Listener
from edgekit.serve.listening import listen
from edgekit.serve.server import Announcement, Offer, serve
from edgekit.serve.settings import settings
from edgekit.serve.tokens import Tokens, tokens_file

HOST = "127.0.0.1"
PORT = 8080
FOLDER = "service"
"""Below the demo's folder: the site's settings of its service, and in ``state`` what is kept."""


def serve_page(bundle: Path, out: Path, announce: Callable[[Announcement], None]) -> None:
    """Serve a demo's ``bundle`` to this machine until a signal ends it; ``out`` is the demo's folder.

    Errors as of :func:`~edgekit.serve.server.serve`.
    """
    with _site(out / FOLDER), _listener() as listener:
        offer = Offer(
            bundle=bundle,
            slots=None,
            listener=listener,
            host=HOST,
            tokens=Tokens.load(tokens_file()),
            state=state_folder(),
            settings=settings(),
            samples=samples(),
        )
        serve(offer, announce)


def _listener() -> Listener:
    """The port that people know, else any that is free: whoever tries a demo may have a service beside it."""
    try:
        return listen(HOST, PORT)
    except InputError:
        return listen(HOST, 0)


@contextmanager
def _site(folder: Path) -> Iterator[None]:
    """Have this process, and those that it starts, take ``folder`` for the site's."""
    own = {"EDGEKIT_SITE": str(folder.absolute()), "EDGEKIT_STATE": str(folder.absolute() / "state")}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
