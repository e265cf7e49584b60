"""The texts of the units and of the service's user, made from the templates beside this."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import PurePosixPath
from string import Template
from typing import Final

from edgekit.deploy.layout import CHECKED, Layout
from edgekit.deploy.unit.settings import PYTHON, Settings, systemd_version
from edgekit.errors import ConfigError
from edgekit.target import Target

UNIT, ROLLBACK, GPU, SYSUSERS = "edgekit.service", "edgekit-rollback.service", "edgekit-gpu.service", "edgekit.sysusers"
CHECK = "edgekit-check.service"
_ON_PROCESSOR, _ON_GPU = "processor.conf", "gpu.conf"
_FOLDER: Final = files("edgekit.deploy.unit")
DIRECT: Final = 254
"""The first systemd that starts OnFailure= at each failure, also before a new start, unless the unit says otherwise.
Those before don't know the word for it, and don't do it."""
RESTART_MODE: Final = """\
# What another start follows is no failure for good, which alone is gone back from.
RestartMode=direct
"""
_ALL_DEVICES: Final = """\
# Which those are was not known where this was written: `edgekit install` on the device itself names them.
DevicePolicy=auto"""
_SHARE: Final = ("75%", "65%")
"""Of a machine's memory, where nobody knows how much that is."""
_UNITS: Final = PurePosixPath("/etc/systemd/system")


def _template(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest() -> str:
    digest = hashlib.sha256()
    for name in (UNIT, ROLLBACK, CHECK, GPU, SYSUSERS, _ON_PROCESSOR, _ON_GPU):
        digest.update(hashlib.sha256(_template(name).encode()).digest())
    for text in (RESTART_MODE, _ALL_DEVICES, *_SHARE):
        digest.update(text.encode())
    return digest.hexdigest()


TEMPLATE_SHA256: Final = _digest()
"""Of all templates: it changes where an upgrade has something to tell systemd."""


def unit_text(layout: Layout, target: Target, nodes: Sequence[str] | None, settings: Settings) -> str:
    """Return the text of ``edgekit.service``.

    ``nodes`` are the device files that it may open (:func:`~edgekit.deploy.unit.nodes.nodes`); None where they are not
    known: then it may open what its user may.
    :class:`ConfigError` where the target computes on a GPU and there are none, or one can't stand in a unit.
    """
    most = settings.host_bytes(target)
    systemd = systemd_version(layout.root) if settings.systemd is None else settings.systemd
    loaded = (f"LoadCredential={name}:{path}" for name, path in settings.credentials.items())
    return Template(_template(UNIT)).substitute(
        prefix=layout.prefix,
        checked=layout.prefix / layout.state.name / CHECKED,
        python=settings.python,
        options=_tls(settings),
        wants_gpu=_wants_gpu(target),
        restart_mode=RESTART_MODE if systemd >= DIRECT else "",
        stop_s=settings.stop_s,
        credentials="".join(f"{line}\n" for line in loaded),
        memory_max=_SHARE[0] if most is None else most,
        memory_high=_SHARE[1]
        if most is None
        else most // 8 * 7,  # slowed down, and made to give back what it only maps
        device=_device(target, nodes),
    )


def check_unit_text(layout: Layout, target: Target, nodes: Sequence[str] | None, settings: Settings) -> str:
    """Return the text of ``edgekit-check.service``, which may open what the service may; errors as of
    :func:`unit_text`."""
    return Template(_template(CHECK)).substitute(
        prefix=layout.prefix,
        python=settings.python,
        wants_gpu=_wants_gpu(target),
        device=_device(target, nodes),
    )


def rollback_unit_text(layout: Layout, python: PurePosixPath = PYTHON) -> str:
    """Return the text of ``edgekit-rollback.service``, which systemd starts where the service has failed for good."""
    return (
        Template(_template(ROLLBACK))
        .substitute(
            prefix=layout.prefix,
            python=python,
            place=layout.place,
            variables="".join(f" {name}={value}" for name, value in layout.variables.items()),
            private="" if layout.is_home else "PrivateTmp=yes",  # not every user may have a namespace of mounts
        )
        .rstrip("\n")
        + "\n"
    )


def gpu_unit_text(nodes: Sequence[str] | None) -> str:
    """Return the text of ``edgekit-gpu.service``, which waits until the device files are there, if they are known."""
    return Template(_template(GPU)).substitute(nodes=" ".join(nodes or ()))


def sysusers_text() -> str:
    """Return what names the service's user to sysusers.d(5)."""
    return _template(SYSUSERS)


def unit_files(layout: Layout, target: Target, nodes: Sequence[str] | None, settings: Settings) -> dict[str, str]:
    """Return the text of every unit that the service needs, by its path on the device.

    Errors as of :func:`unit_text`.
    """
    texts = {
        UNIT: unit_text(layout, target, nodes, settings),
        ROLLBACK: rollback_unit_text(layout, settings.python),
        CHECK: check_unit_text(layout, target, nodes, settings),
    }
    if target.kind.on_gpu:
        texts[GPU] = gpu_unit_text(nodes)
    return {str(_UNITS / name): text for name, text in texts.items()}


def _wants_gpu(target: Target) -> str:
    """What waits for the device files, where it may run as soon as the machine is on."""
    return f"Wants={GPU}\nAfter={GPU}\n" if target.kind.on_gpu else ""


def _device(target: Target, nodes: Sequence[str] | None) -> str:
    """Which devices may be opened, and what else follows from what computes."""
    _require_nodes(target, nodes)
    allowed = _ALL_DEVICES if nodes is None else "\n".join(("DevicePolicy=closed", *map(_allow, nodes)))
    text = Template(_template(_ON_GPU if target.kind.on_gpu else _ON_PROCESSOR)).substitute(allowed=allowed)
    return text.rstrip("\n")


def _tls(settings: Settings) -> str:
    if settings.certificate is None:
        return ""
    return " --cert ${CREDENTIALS_DIRECTORY}/tls.crt --key ${CREDENTIALS_DIRECTORY}/tls.key"


def _allow(node: str) -> str:
    return f"DeviceAllow={node} rw"


def _require_nodes(target: Target, nodes: Sequence[str] | None) -> None:
    if nodes is None:
        return
    if target.kind.on_gpu and not nodes:
        raise ConfigError(
            f"The target {target.name} computes on a GPU, and this machine shows no device file of one",
            f"Run: edgekit doctor --target {target.name}",
        )
    for node in nodes:
        if not re.fullmatch(r"/dev/[A-Za-z0-9/._+-]+", node) or ".." in node:
            raise ConfigError(f"{node!r} is no device file", "Look what lies there.")
