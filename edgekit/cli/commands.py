"""Which commands there are; each is imported when it is invoked and not before, so that ``edgekit --help`` is there at
once.

A command is the object ``command`` of ``edgekit/cli/NAME.py``. It holds no logic: it reads arguments, calls a function
of the library, writes the document of what that returns, and shows it.
"""

from __future__ import annotations

import importlib

import click

from edgekit import __version__
from edgekit.cli.common import logging_flags
from edgekit.config import did_you_mean

COMMANDS = {
    "demo": "The whole way on this machine with the embedded model, in seconds.",
    "targets": "The devices to build for; --detect says which one this machine is.",
    "doctor": "What this machine has and lacks for a target, and the commands that mend it.",
    "inspect": "What a checkpoint holds: family, parts, parameters, licence, intended use.",
    "plan": "What a model takes on a device before it is built; what fits where it doesn't.",
    "build": "From a checkpoint to a sealed bundle for a target.",
    "check": "Whether a bundle answers on this machine as it should; which component, where not.",
    "quantize": "Only quantize: write a smaller checkpoint.",
    "export": "Only export: write a checkpoint's ONNX graphs.",
    "compile": "Only compile: let this machine map a bundle's weights as its processor wants them.",
    "phantoms": "Write synthetic radiographs with questions and right answers.",
    "profile": "What a bundle takes on this machine, measured, against its budget and its plan.",
    "report": "Pictures of profiles, and published memory figures beside ours.",
    "evaluate": "How often bundles answer rightly, side by side.",
    "tune": "Train: so far the embedded model, from nothing.",
    "ask": "Ask a bundle a question, about an image if you like.",
    "serve": "Serve a bundle to many callers, over the API that OpenAI's clients speak.",
    "install": "A bundle as this machine's service, on trial; what fails goes back by itself.",
    "status": "How the installed service fares, and why the last release went back.",
    "commit": "Let the release that is on trial stay.",
    "rollback": "Back to the release before.",
    "container": "What a container's image of a bundle is built from, for Docker and podman.",
    "uninstall": "The service and its releases removed; what it keeps stays.",
    "token": "Who may use this machine's service over its API: tokens made, listed, revoked.",
    "audit": "The record of who did what: whether it is whole, and an answer given again.",
    "user": "Who may sign in to this machine's page: accounts, made by a one-time link.",
    "feedback": "What doctors said of answers, as training data.",
    "backup": "A copy of what the service keeps, made while it runs; its keys apart.",
    "restore": "A backup brought back, all of it but what was deleted since.",
    "tls": "The certificates of this machine's service: its own authority, and what it signs.",
    "support": "One archive for help from afar: how machine and service fare, nothing of patients.",
}

ON_GPU = frozenset({"ask", "audit", "build", "check", "demo", "evaluate", "quantize", "serve"})
"""Those that compute in their own process, on a GPU where there is one; `profile` and `compile` leave it to children,
which are shown theirs by UUID."""


class LazyGroup(click.Group):
    """A group that imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"edgekit.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        names = self.list_commands(ctx)
        if args[0] not in names:
            ctx.fail(f"there is no command '{args[0]}'. {did_you_mean(args[0], names)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="edgekit", message="%(prog)s %(version)s")
@logging_flags
def cli() -> None:
    """EdgeKit takes a medical vision-language model from a checkpoint to a running service on a small device."""
