"""What an order of one user's own has: the user's units and menu, and nothing that takes root; and it is installed,
goes back and is removed by the same steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgekit.deploy import here
from edgekit.deploy.install import install
from edgekit.deploy.laptop import order as module
from edgekit.deploy.laptop.layout import HomeLayout, home_layout
from edgekit.deploy.laptop.order import order_home
from edgekit.deploy.order import Order
from edgekit.deploy.record import Package
from edgekit.deploy.rollback import roll_back
from edgekit.deploy.trial import commit
from edgekit.deploy.uninstall import uninstall
from edgekit.target import target
from tests.deploying import FileServices, Site
from tests.embedded_bundles import EmbeddedBundles
from tests.releases import small_bundle
from tests.units import parse


@pytest.fixture
def layout(tmp_path: Path) -> HomeLayout:
    return home_layout({"HOME": str(tmp_path / "home")})


@pytest.fixture
def order(layout: HomeLayout, embedded_as: EmbeddedBundles, monkeypatch: pytest.MonkeyPatch) -> Order:
    packages = (Package("edgekit", "0.1", "a" * 64),)
    monkeypatch.setattr(module, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: packages))
    return order_home(embedded_as("q4").path, "", layout)


def test_it_takes_no_root(order: Order, layout: HomeLayout) -> None:
    assert (order.users, dict(order.owned), order.image) == ("", {}, False)
    files = [*order.configuration, *order.watching, *order.unit]
    home = layout.prefix.parents[2]
    assert all(Path(path).is_relative_to(home) for path in files)
    assert str(layout.menu) in order.watching
    assert set(order.enabled) < {Path(path).name for path in order.watching}


def test_a_gpu_is_waited_for_by_a_unit_that_may_take_privileges(
    layout: HomeLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = small_bundle(tmp_path / "bundle", {"tokenizer.json": b"{}"})
    bundle = replace(bundle, manifest=replace(bundle.manifest, target=target("rtx3050")))
    monkeypatch.setattr(module, "open_bundle", lambda path: bundle)
    monkeypatch.setattr(module, "code_for", lambda engine, wheels: SimpleNamespace(packages=lambda: ()))
    monkeypatch.setattr(module, "nodes", lambda host, wanted: ("/dev/nvidia0",))
    order = order_home(bundle.path, "", layout)
    assert order.stops_first
    waits = parse(order.unit[str(layout.unit.with_name("edgekit-gpu.service"))])
    assert "NoNewPrivileges" not in waits["Service"]
    assert "nvidia-modprobe" in waits["Service"]["ExecStart"][0]
    assert "/dev/nvidia0" in waits["Service"]["ExecStart"][1]


def test_another_port_is_taken_into_the_menu(order: Order, layout: HomeLayout, embedded_as: EmbeddedBundles) -> None:
    assert ":8080/" in order.watching[str(layout.menu)]
    layout.environment.parent.mkdir(parents=True)
    layout.environment.write_text("EDGEKIT_PORT=8123\n")
    assert ":8123/" in order_home(embedded_as("q4").path, "", layout).watching[str(layout.menu)]


def test_it_is_installed_goes_back_and_is_removed(
    order: Order, layout: HomeLayout, tmp_path: Path, no_waiting_for_the_disk: None
) -> None:
    stands = Site(tmp_path)
    stands.layout = layout
    hands = replace(stands.hands, layout=layout, services=FileServices(layout))
    install(order, hands)
    commit(hands)
    assert layout.running() == order.release
    assert layout.menu.exists()
    other = replace(order, release="2" * 64)
    install(other, hands)
    assert layout.running() == other.release
    roll_back(hands)
    assert layout.running() == order.release
    layout.data.mkdir(parents=True)
    gone = uninstall(hands, data=False)
    assert layout.data in gone.kept
    assert not [path for path in (layout.menu, layout.icon, layout.unit, layout.releases) if path.exists()]


def test_what_works_on_it_is_the_users_systemd(layout: HomeLayout) -> None:
    services = here.hands_here(layout).services
    assert services.__dict__["_user"] == ("--user",)
