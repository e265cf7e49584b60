"""Packages that a device's system alone has, such as JetPack's TensorRT: links to each, and to nothing else there.

The system's folder of packages holds old versions of what a release brings itself; behind its own code, a release sees
of that folder what its engine needs, and no more. What is linked is no part of the release: an upgrade of the system
changes it, and the doctor tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from edgekit.deploy.copying import make_folder
from edgekit.deploy.layout import Layout
from edgekit.files import writing

_FOLDERS = (
    "/usr/lib/python{python}/dist-packages",
    "/usr/lib/python3/dist-packages",
    "/usr/local/lib/python{python}/dist-packages",  # NVIDIA's images of TensorRT have it there
)


def link_packages(folder: Path, modules: Sequence[str], site: Path, layout: Layout, python: str) -> None:
    """Make ``folder``, with a link to each of ``modules`` that the code in ``site`` lacks and the system has.

    ``python``: the interpreter's minor version, "3.10". :class:`~edgekit.errors.EdgeKitError` where the disk refuses.
    """
    make_folder(folder)
    for module in modules:
        if not (site / module).exists() and (package := _package(layout, module, python)):
            with writing(folder / module):
                (folder / module).symlink_to(package)


def _package(layout: Layout, module: str, python: str) -> PurePosixPath | None:
    """Where the device's system has it."""
    paths = (PurePosixPath(folder.format(python=python), module) for folder in _FOLDERS)
    return next((path for path in paths if (layout.at(path) / "__init__.py").is_file()), None)
