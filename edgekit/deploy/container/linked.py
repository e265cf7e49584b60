"""While an image is built: links to packages that its base alone has, as JetPack's TensorRT.

``python -m edgekit.deploy.container.linked FOLDER MODULE...``: FOLDER holds ``site``, the code, and gets ``system``,
the links. A module that neither the code nor the base has ends the build.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from edgekit.deploy.layout import SITE, SYSTEM, Layout
from edgekit.deploy.site.system import link_packages
from edgekit.errors import EngineError


def link(folder: Path, modules: Sequence[str], layout: Layout, python: str) -> None:
    """Link ``modules`` that the code in ``folder`` lacks; :class:`EngineError` names one that is nowhere.

    ``python``: the interpreter's minor version, "3.10".
    """
    site, system = folder / SITE, folder / SYSTEM
    link_packages(system, modules, site, layout, python)
    for module in modules:
        if not (site / module).exists() and not (system / module).is_symlink():
            raise EngineError(
                f"The base has no {module} for its Python {python}, and there is no wheel of it",
                "Build on an image that has it: containers/bases.toml names one.",
            )


if __name__ == "__main__":
    try:
        link(Path(sys.argv[1]), sys.argv[2:], Layout(), f"{sys.version_info.major}.{sys.version_info.minor}")
    except EngineError as error:
        sys.exit(f"{error.message}\n{error.hint}")
