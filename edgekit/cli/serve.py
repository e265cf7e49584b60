"""``edgekit serve``: a bundle as a service, over the API that OpenAI's clients speak."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli.common import common
from edgekit.cli.show.serve import show_announcement, show_exposure
from edgekit.console import Console
from edgekit.errors import MissingExtra

if TYPE_CHECKING:
    from edgekit.serve.server import Announcement


@click.command("serve")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--slots", type=click.IntRange(1), help="Answers at once; the target's number without it.")
@click.option("--cert", type=click.Path(path_type=Path), help="A certificate in PEM, with its chain.")
@click.option("--key", type=click.Path(path_type=Path), help="Its private key.")
@click.option("--insecure", is_flag=True, help="Let other machines ask without tokens, or without TLS.")
@common
def command(
    console: Console,
    bundle: Path | None,
    host: str,
    port: int,
    slots: int | None,
    cert: Path | None,
    key: Path | None,
    insecure: bool,
) -> None:
    """Serve BUNDLE (the installed one without it, else the embedded model) to many callers at once.

    On this machine nobody has to sign in as long as there is neither a token (edgekit token) nor an account (edgekit
    user). There is TLS where a certificate is given, or one was made (edgekit tls).
    """
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key belong together")
    try:
        from edgekit.serve import logs
        from edgekit.serve.server import Offer, serve
    except ModuleNotFoundError as error:
        raise MissingExtra("Serving", "serve") from error
    from edgekit.config.state import state_folder
    from edgekit.serve.bundle import bundle_to_serve
    from edgekit.serve.listening import listen, require_guarded
    from edgekit.serve.settings import settings
    from edgekit.serve.tokens import Tokens, tokens_file
    from edgekit.serve.transport import transport
    from edgekit.serve.ward.keeper import has_accounts

    tokens, state, site, met = Tokens.load(tokens_file()), state_folder(), settings(), transport(cert, key)
    sign_in = tokens.required or has_accounts(state)
    require_guarded(host, sign_in=sign_in, tls=met.context is not None, insecure=insecure)
    with listen(host, port) as listener:
        show_exposure(console, host, met.warnings, insecure=insecure)
        if bundle is None:
            with console.progress() as progress:
                bundle = bundle_to_serve(progress)
        logs.show(logging.DEBUG if console.debug else logging.INFO)

        def announce(announcement: Announcement) -> None:
            console.document(announcement.document())
            show_announcement(console, announcement)

        offer = partial(Offer, slots=slots, host=host, tokens=tokens, state=state, settings=site, transport=met)
        serve(offer(bundle=bundle, listener=listener), announce)
