"""``edgekit serve``: a bundle as a service, over the API that OpenAI's clients speak."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from edgekit.cli.common import common
from edgekit.console import Console
from edgekit.errors import MissingExtra


@click.command("serve")
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--slots", type=click.IntRange(1), help="Answers at once; the target's number without it.")
@click.option("--insecure", is_flag=True, help="Let other machines ask without tokens, or without TLS.")
@common
def command(console: Console, bundle: Path | None, host: str, port: int, slots: int | None, insecure: bool) -> None:
    """Serve BUNDLE (the installed one without it, else the embedded model) to many callers at once."""
    try:
        from edgekit.serve import logs
        from edgekit.serve.server import Announcement, Offer, serve
    except ModuleNotFoundError as error:
        raise MissingExtra("Serving", "serve") from error
    from edgekit.serve.bundle import bundle_to_serve
    from edgekit.serve.listening import is_loopback, listen, require_guarded
    from edgekit.serve.settings import settings
    from edgekit.serve.tokens import Tokens, tokens_file

    tokens, site = Tokens.load(tokens_file()), settings()
    require_guarded(host, tokens=tokens.required, tls=False, insecure=insecure)
    if insecure and not is_loopback(host):
        console.note("WARNING: --insecure: whoever reaches this machine can ask, or read what others ask.")
    with listen(host, port) as listener:
        if bundle is None:
            with console.progress() as progress:
                bundle = bundle_to_serve(progress)
        logs.show(logging.DEBUG if console.debug else logging.INFO)

        def announce(announcement: Announcement) -> None:
            console.document(announcement.document())
            console.print(f"{announcement.model} answers at {announcement.url} ({announcement.bundle})")

        serve(Offer(bundle=bundle, slots=slots, listener=listener, host=host, tokens=tokens, settings=site), announce)
