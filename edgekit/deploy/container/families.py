"""The families of images, ``containers/bases.toml``: which of them is for a target, and for the wheels at hand.

A target names what its images have to serve ("jetson"); more than one family may, and then the wheels decide: they are
for one processor and for one version of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.tags import Tag

from edgekit.config import load_toml
from edgekit.config.shipped import shipped_folder
from edgekit.deploy.container.carried import Carried
from edgekit.errors import ConfigError
from edgekit.target import Target

FOLDER = "containers"
_BASES = "bases.toml"


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family of images.

    - ``title``: for people
    - ``serves``: the ``container`` of the targets that it is for
    - ``arch``: the processor ("any")
    - ``image``, ``tag``, ``digest``: the base, as its publisher's catalogue names it; "" for a digest that nobody knows
    - ``python``: the base's minor version ("3.10"; "" for any)
    - ``docker``, ``podman``: what these have to be told besides what all are
    """

    title: str
    serves: str
    arch: str
    image: str
    tag: str
    python: str = ""
    digest: str = ""
    docker: str = ""
    podman: str = ""

    def takes(self, tag: Tag) -> bool:
        """Say whether wheels of that tag can be for this family."""
        return self._runs(tag) and (tag.platform == "any" or self.arch == "any" or tag.platform.endswith(self.arch))

    def _runs(self, tag: Tag) -> bool:
        if not self.python or tag.interpreter == "py3":
            return True
        major, _, minor = self.python.partition(".")
        own = tag.interpreter in (f"cp{major}{minor}", f"py{major}{minor}")
        older = tag.interpreter.removeprefix(f"cp{major}")
        return own or (tag.abi == f"abi{major}" and older.isdecimal() and int(older) <= int(minor))

    @property
    def base(self) -> str:
        """The image that it builds on, with its digest where one is known."""
        return f"{self.image}:{self.tag}{f'@sha256:{self.digest}' if self.digest else ''}"

    @property
    def platform(self) -> str:
        """What `make wheels` calls it, as far as the family tells."""
        return f"cp{self.python.replace('.', '') or '3…'}-{self.arch if self.arch != 'any' else '…'}"


def families() -> dict[str, Family]:
    """Return the families by name, in the order in which they are asked."""
    return dict(load_toml(shipped_folder(FOLDER) / _BASES, _Bases).families)


def file_of(name: str) -> Path:
    """Return a file that ships with the families, by its name below their folder."""
    return shipped_folder(FOLDER) / name


def families_for(target: Target) -> dict[str, Family]:
    """Return those that serve a target; :class:`ConfigError` where none does."""
    of_all = families()
    serving = {name: family for name, family in of_all.items() if family.serves == target.container}
    if not serving:
        served = ", ".join(sorted({family.serves for family in of_all.values()}))
        message = f"No family of images serves {target.container!r}, which is the container of the target {target.name}"
        raise ConfigError(message, f"Served are: {served}.")
    return serving


def family_for(target: Target, wheels: Sequence[Carried]) -> str:
    """Return the name of the first family that serves ``target`` and that each of ``wheels`` is for.

    :class:`ConfigError` where there is none.
    """
    serving = families_for(target)
    misfits: dict[str, Any] = {}
    for name, family in serving.items():
        odd = next((wheel for wheel in wheels if not any(map(family.takes, wheel.tags))), None)
        if odd is None:
            return name
        misfits[name] = odd.path.name
    told = "; ".join(f"{wheel} is not for {name}" for name, wheel in misfits.items())
    make = " or ".join(f"make wheels PLATFORM={family.platform}" for family in serving.values())
    raise ConfigError(
        f"The wheels are for no image of {target.name}: {told}", f"Give those as --wheels that it needs: {make}"
    )


@dataclass(frozen=True)
class _Bases:
    families: dict[str, Family]
