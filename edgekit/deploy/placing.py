"""Steps that place files outside a release: the configuration, once; the units; and ``current``, the switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

from edgekit.deploy.journal import make_folder
from edgekit.deploy.states import SHORT, point, unpoint
from edgekit.deploy.steps import Hands, Step
from edgekit.errors import ConfigError
from edgekit.files import write_text, writing


@dataclass(frozen=True)
class Configure(Step):
    """Write a file of the configuration (``path`` on the device) where there is none: what the site wrote stays."""

    path: str
    text: str
    title: ClassVar[str] = "Create the configuration"

    def show(self, hands: Hands) -> str:
        path = hands.layout.at(self.path)
        return f"keep {path} as it is" if path.exists() else f"write {path}"

    def before(self, hands: Hands) -> Any:
        return hands.layout.at(self.path).exists()

    def do(self, hands: Hands) -> Any:
        path = hands.layout.at(self.path)
        if not path.exists():
            make_folder(path.parent)
            write_text(path, self.text)

    def undo(self, hands: Hands, before: Any) -> None:
        path = hands.layout.at(self.path)
        if not before and _read(path) == self.text:
            _write(path, None)


@dataclass(frozen=True)
class Place(Step):
    """Write files of systemd's (by their paths on the device) where they differ, and have systemd read them then alone:
    that can take the GPU from containers that run.

    ``enabled`` are those of their units that start with the machine, ``users`` the file of ``/etc/sysusers.d`` among
    them, "" without one.
    """

    files: Mapping[str, str]
    enabled: tuple[str, ...] = ()
    users: str = ""
    title: ClassVar[str] = "Write the units"

    def show(self, hands: Hands) -> str:
        differing = [str(hands.layout.at(path)) for path in self._differing(hands, self.files)]
        return f"write {', '.join(differing)}; systemctl daemon-reload" if differing else "they are as they should be"

    def before(self, hands: Hands) -> Any:
        return {path: _read(hands.layout.at(path)) for path in self._differing(hands, self.files)}

    def do(self, hands: Hands) -> Any:
        self._bring(hands, self.files)
        if self.users:
            hands.services.make_users(self.users)
        for unit in self.enabled:
            hands.services.enable(unit)

    def undo(self, hands: Hands, before: Any) -> None:
        new = {PurePosixPath(path).name for path, text in before.items() if text is None}
        for unit in new.intersection(self.enabled):
            hands.services.disable(unit)
        self._bring(hands, before)

    def _differing(self, hands: Hands, files: Mapping[str, str | None]) -> list[str]:
        return [path for path, text in files.items() if _read(hands.layout.at(path)) != text]

    def _bring(self, hands: Hands, files: Mapping[str, str | None]) -> None:
        if self._differing(hands, files):
            for path, text in files.items():
                _write(hands.layout.at(path), text)
            hands.services.reload()


@dataclass(frozen=True)
class Switch(Step):
    """Let ``current`` name a release, at once; the next start of the service takes it."""

    release: str
    title: ClassVar[str] = "Switch to the release"
    is_point_of_return: ClassVar[bool] = True

    def show(self, hands: Hands) -> str:
        return f"{hands.layout.current} -> {_target(hands, self.release)}"

    def before(self, hands: Hands) -> Any:
        return hands.layout.running() or ""

    def do(self, hands: Hands) -> Any:
        if not hands.layout.release(self.release).is_dir():
            message = f"The release {self.release[:SHORT]} is not in {hands.layout.releases}"
            raise ConfigError(message, "Install it again.")
        point(hands.layout.current, _target(hands, self.release))

    def undo(self, hands: Hands, before: Any) -> None:
        if before:
            point(hands.layout.current, _target(hands, before))
        else:
            unpoint(hands.layout.current)


def _target(hands: Hands, release: str) -> str:
    return f"{hands.layout.releases.name}/{release}"


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: {error}", "Look what lies there, and move it away.") from None


def _write(path: Path, text: str | None) -> None:
    if text is None:
        unpoint(path)
    elif _read(path) != text:
        make_folder(path.parent)
        with writing(path):
            write_text(path, text)
