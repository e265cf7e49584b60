"""A build context: one folder with all that an image of a bundle is made of, so that nothing is asked of a network.

```
OUT/Dockerfile compose.yaml mounted.yaml     the family's, as they ship
OUT/.env                                     what compose.yaml is told: the base, the image's name
OUT/wheels/                                  the code, with requirements.txt
OUT/bundle/                                  the bundle; what a device adds to it lies in the container's volume
OUT/README.md                                the commands
```
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from string import Template
from typing import Any

from edgekit.bundle import MANIFEST, Bundle, sealed_files
from edgekit.bundle.hashes import FileEntry, Sealed
from edgekit.deploy.added import added
from edgekit.deploy.container.base import Base
from edgekit.deploy.container.carried import PIP, Carried, python_of, wheels_here, wheels_in
from edgekit.deploy.container.families import families_for, family_for, file_of
from edgekit.deploy.copying import Copy, copy_checked
from edgekit.deploy.layout import BUNDLE, Layout
from edgekit.deploy.site.wheels import REQUIREMENTS
from edgekit.errors import ConfigError
from edgekit.files import new_directory, require_space, writing
from edgekit.progress import Progress, silent
from edgekit.target import Target

DOCKERFILE, COMPOSE, MOUNTED, VARIABLES, README, IGNORED = (
    *("Dockerfile", "compose.yaml", "mounted.yaml", ".env", "README.md", ".dockerignore"),
)
WHEELS, PIP_HASH = "wheels", "pip.sha256"
DATA = PurePosixPath("/var/lib/edgekit")
"""The container's volume for what the service keeps; engines and profiles lie in it, too."""
_COMMANDS = "commands.md"
_IGNORING = f"*\n!{WHEELS}\n!{BUNDLE}\n"
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Context:
    """A build context that was written: where, of which family, the image's name and its base, how many wheels are in
    it, which ``python`` the base must have for them ("" for any), and the bytes of the bundle. The image's name is
    another one as soon as anything that it is made of is."""

    folder: Path
    family: str
    image: str
    base: Base
    target: str
    wheels: int
    python: str
    bundle_bytes: int

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        document = vars(self) | {"folder": str(self.folder), "base": self.base.reference, "pinned": self.base.pinned}
        return dict(document)


def write_context(
    bundle: Bundle,
    target: Target,
    base: Base,
    folder: Path,
    wheels: Path | None = None,
    progress: Progress = silent,
) -> Context:
    """Write the build context of an image that serves ``bundle`` on ``target`` into ``folder``, which must be new.

    The code is that of the folder ``wheels``, or without one what is installed here. Every file is compared with its
    hash. :class:`ConfigError` where the bundle was built for another target, or no family of images is for it;
    :class:`~edgekit.errors.BundleError` where a file is not as it was sealed; :class:`~edgekit.errors.EdgeKitError` as
    of the wheels and the disk. However it ends but well, nothing of the folder is left.
    """
    built_for = bundle.manifest.target.name
    if target.name != built_for:
        hint = f"Give --target {built_for}, or build it for {target.name}."
        raise ConfigError(f"{bundle.path} was built for {built_for}, and not for {target.name}", hint)
    families_for(target)
    with new_directory(folder) as inside:
        require_space(inside / BUNDLE, bundle.bytes)
        carried = _write_wheels(inside / WHEELS, target.engine, wheels, progress)
        family = family_for(target, carried)
        _write_bundle(inside / BUNDLE, bundle, progress)
        image = f"edgekit:{target.name}-{bundle.digest[:_DIGITS]}-{_code_of(family, base, carried)}"
        _write_texts(inside, family, target, base, image, python_of(carried))
    return Context(
        folder=folder,
        family=family,
        image=image,
        base=base,
        target=target.name,
        wheels=len(carried),
        python=python_of(carried),
        bundle_bytes=bundle.bytes,
    )


def _code_of(family: str, base: Base, wheels: Sequence[Carried]) -> str:
    """What an image is made of beside its bundle, in a few digits: Compose builds no name again that it has."""
    recipe = file_of(f"{family}/{DOCKERFILE}").read_text(encoding="utf-8")
    parts = (family, base.reference, recipe, *sorted(one.line for one in wheels))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_DIGITS]


def _write_wheels(folder: Path, engine: str, given: Path | None, progress: Progress) -> tuple[Carried, ...]:
    with writing(folder):
        folder.mkdir()
    carried = wheels_here(engine, folder) if given is None else wheels_in(given)
    if given is not None:
        remedy = "copy the folder of wheels again"
        copy_checked([Copy(Sealed(one.path, one.entry, remedy), folder / one.path.name) for one in carried], progress)
    pip = next(one for one in carried if one.name == PIP)
    with writing(folder):
        lines = "".join(one.line for one in carried if one.name != PIP)
        (folder / REQUIREMENTS).write_text(lines, encoding="utf-8")
        (folder / PIP_HASH).write_text(f"{pip.entry.sha256}  {pip.path.name}\n", encoding="utf-8")
    return carried


def _write_bundle(folder: Path, bundle: Bundle, progress: Progress) -> None:
    """The sealed files, and links to where engines and profiles will lie: the bundle itself can't be written there."""
    manifest = bundle.path / MANIFEST
    sealed = [*sealed_files(bundle), Sealed(manifest, _entry_of(manifest), "copy or build the bundle again")]
    copy_checked([Copy(file, folder / file.path.relative_to(bundle.path)) for file in sealed], progress)
    with writing(folder):
        for name, place in added(Layout(prefix=DATA), bundle.digest).items():
            (folder / name).symlink_to(place)


def _entry_of(manifest: Path) -> FileEntry:
    content = manifest.read_bytes()
    return FileEntry(len(content), hashlib.sha256(content).hexdigest())


def _write_texts(folder: Path, name: str, target: Target, base: Base, image: str, python: str) -> None:
    family = families_for(target)[name]
    words = {"image": image, "base": base.reference, "target": target.name, "title": family.title}
    words["python"] = f" Its Python must be {python}: the wheels are for no other." if python else ""
    extra = {word: f" {told}" if told else "" for word, told in (("docker", family.docker), ("podman", family.podman))}
    commands = Template(file_of(_COMMANDS).read_text(encoding="utf-8")).substitute(words | extra)
    with writing(folder):
        for file in (DOCKERFILE, COMPOSE):
            shutil.copyfile(file_of(f"{name}/{file}"), folder / file)
        shutil.copyfile(file_of(MOUNTED), folder / MOUNTED)
        (folder / VARIABLES).write_text(f"BASE={base.reference}\nIMAGE={image}\n", encoding="utf-8")
        (folder / README).write_text(commands, encoding="utf-8")
        (folder / IGNORED).write_text(_IGNORING, encoding="utf-8")
