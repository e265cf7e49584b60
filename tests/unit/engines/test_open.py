"""Which engine answers: the backend's over its form, else the bundle's own graphs; and memory goes back afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from edgekit.bundle import Bundle
from edgekit.engines.open import engine_here, open_engine
from edgekit.errors import EngineError

BUNDLE = cast(Bundle, SimpleNamespace(path=Path("bundle")))


@dataclass
class Backend:
    """Opens what it is told to, and notes the order of what happens."""

    form: Any
    calls: list[object] = field(default_factory=list)

    def open(self, bundle: Bundle, slots: int) -> Any:
        self.calls.append(("open", bundle, slots))
        if isinstance(self.form, Exception):
            raise self.form
        return self.form

    def open_graphs(self, bundle: Bundle, slots: int) -> Any:
        self.calls.append(("graphs", bundle, slots))
        return "graphs"


def use(backend: Backend, patch: pytest.MonkeyPatch) -> None:
    patch.setattr("edgekit.engines.open.backend_for", lambda bundle: backend)
    library = SimpleNamespace(malloc_trim=lambda size: backend.calls.append("trim"))
    patch.setattr("edgekit.engines.open.ctypes.CDLL", lambda name: library)


@pytest.mark.parametrize(("form", "opened"), [("form", ["open"]), (None, ["open", "graphs"])])
def test_graphs_run_where_there_is_no_form_and_freed_memory_goes_back_last(
    form: str | None, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Backend(form)
    use(backend, monkeypatch)
    assert cast(str, open_engine(BUNDLE, 3)) == (form or "graphs")
    assert backend.calls == [*((name, BUNDLE, 3) for name in opened), "trim"]


def test_nothing_takes_the_place_of_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend(EngineError("its plans are damaged", "Compile again."))
    use(backend, monkeypatch)
    with pytest.raises(EngineError, match="damaged"):
        open_engine(BUNDLE, 3)
    assert backend.calls == [("open", BUNDLE, 3)]


@pytest.mark.parametrize("error", [OSError("libc.so.6: cannot open"), AttributeError("malloc_trim")])
def test_another_c_library_keeps_its_memory(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise error

    use(Backend("form"), monkeypatch)
    monkeypatch.setattr("edgekit.engines.open.ctypes.CDLL", absent)
    assert cast(str, open_engine(BUNDLE, 1)) == "form"


def test_the_processor_runs_the_graphs_whatever_form_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = Backend("form")
    use(backend, monkeypatch)
    assert cast(str, engine_here(BUNDLE)) == "graphs"
    assert backend.calls == [("graphs", BUNDLE, 1)]
