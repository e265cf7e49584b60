"""A cluster of Ray's: one that runs, or one on this machine as long as it is needed; how many engines it has room for.

What starts, places and restarts workers and moves their answers is Ray's. Here is what it is told to do so quietly.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

from edgekit.errors import EdgeKitError, InputError, MissingExtra, gist
from edgekit.machine.system import cores

HERE = "ray"
TOKEN = Path("~/.ray/auth_token")
"""Where Ray keeps the token that a cluster may ask for. Nodes show it wherever there is one. Who joins does so
too, but where ``RAY_ADDRESS`` names the cluster is first turned away for 20 seconds, and Ray Client
shows it only if it is told to: so both are told."""
_OBJECTS = 256 << 20  # bytes that Ray sets aside for what workers send: a few answers at a time
_UNREACHED = (
    "Start it by 'ray start --head'. Ray has to be of the same version here; where it asks for a token, the same is "
    "needed here, in ~/.ray/auth_token."
)


@dataclass(frozen=True)
class Room:
    """So many ``engines`` run at a time, each with so many ``cpus`` of its node, and a GPU where it needs one."""

    engines: int
    cpus: int

    @classmethod
    def of(cls, nodes: Sequence[Mapping[str, float]], gpu: bool) -> Room:
        """Return the room on nodes with these resources, as Ray counts them.

        Engines are of one size: all processors of the smallest node that can hold one, or with GPUs its share for each
        of them. :class:`InputError` where no node can.
        """
        able = [(int(node.get("CPU", 0)), int(node.get("GPU", 0))) for node in nodes]
        if gpu:
            shared = [(cpus, gpus) for cpus, gpus in able if cpus and gpus]
            each = min((max(1, cpus // gpus) for cpus, gpus in shared), default=0)
            engines = sum(min(gpus, cpus // each) for cpus, gpus in shared)
        else:
            each = min((cpus for cpus, _ in able if cpus), default=0)
            engines = sum(cpus // each for cpus, _ in able if cpus)
        if not engines:
            lacks = "a GPU" if gpu else "a processor"
            raise InputError(f"No node of the Ray cluster has {lacks}", "Add one by 'ray start --address=HOST:PORT'.")
        return cls(engines, each)


@contextmanager
def cluster(on: str) -> Iterator[Any]:
    """Give the module ``ray``, connected to what ``on`` names; at the end all that was started is ended.

    * ``"ray"``: the cluster that runs on this machine or that ``RAY_ADDRESS`` names, else one that is started here
    * ``"ray://HOST:PORT"``: that cluster, by Ray Client

    Ray writes what it has to say of lost nodes to stdout, whatever its logging is set to, so stdout is shut meanwhile.
    :class:`MissingExtra` without Ray, :class:`EdgeKitError` where the cluster can't be reached or is lost.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    if "RAY_AUTH_TOKEN" in os.environ or TOKEN.expanduser().is_file():
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        import ray
    except ModuleNotFoundError as missing:
        raise MissingExtra("Evaluating on Ray", "ray") from missing
    with open(os.devnull, "w") as nothing, redirect_stdout(nothing):
        try:
            with catch_warnings():
                simplefilter("ignore")  # what it warns of, it also raises
                _connect(ray, on)
            yield ray
        except ray.exceptions.RayTaskError as error:
            raise _cause(error) from error
        except (ray.exceptions.RayError, ConnectionError) as error:
            raise EdgeKitError(
                f"The Ray cluster gave up: {_words(error)}", "The same command goes on when the cluster runs."
            ) from error
        finally:
            ray.shutdown()


def resources(ray: Any) -> list[Mapping[str, float]]:
    """Return what each node that is alive has."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _connect(ray: Any, on: str) -> None:
    quietly: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    asked_to_end = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address="auto" if on == HERE else on, **quietly)
    except (ConnectionError, TimeoutError, RuntimeError, ImportError) as error:
        named = on if on != HERE else os.environ.get("RAY_ADDRESS", "")
        if named or not isinstance(error, ConnectionError):  # one machine would take the place of many, unsaid
            where = named or "this machine"
            raise EdgeKitError(f"No Ray cluster is reached at {where}: {_words(error)}", _UNREACHED) from error
        ray.init(
            address="local",
            num_cpus=cores(),
            include_dashboard=False,
            object_store_memory=_OBJECTS,
            **quietly,
        )
    if asked_to_end is not None:
        signal.signal(signal.SIGTERM, asked_to_end)  # Ray ends the process at once, with files as they are


def _cause(error: Any) -> EdgeKitError:
    """Return what a worker raised, without its traceback where it is an error for people."""
    if isinstance(error.cause, EdgeKitError):
        return EdgeKitError(error.cause.message, error.cause.hint)
    return EdgeKitError(f"A worker failed: {_words(error)}", "The same command goes on where it stopped.")


def _words(error: Exception) -> str:
    """Return what Ray says in a line, without the tracebacks of other processes that it quotes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    traced = any(line.startswith("Traceback") for line in lines)
    return gist(lines[-1] if traced else " ".join(lines))
