"""What commands begin with: a checkpoint on disk, or an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.deploy.layout import Layout
from edgekit.deploy.order import Order
from edgekit.deploy.steps import Hands
from edgekit.quantize.write import write_checkpoint
from edgekit.recipe import recipe
from tests.deploying import Site
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A checkpoint on disk, in fp16."""
    tensors = {name.replace(".", "__"): Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()}
    write_checkpoint(checkpoint(**tensors), recipe("fp16"), tmp_path / "plain")
    return tmp_path / "plain"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An installation that commands act on, whose releases and services are stand-ins; a bundle's release is its name,
    64 times."""
    site = Site(tmp_path / "root")
    site.folder.mkdir()

    def order(bundle: Path, wheels: str, layout: Layout, *, forced: bool = False) -> Order:
        return site.order(bundle.name * 64, forced=forced)

    def hands(layout: Layout, **more: object) -> Hands:
        return site.hands

    monkeypatch.setattr("edgekit.deploy.here.order_here", order)
    monkeypatch.setattr("edgekit.deploy.here.hands_here", hands)
    monkeypatch.setattr("edgekit.deploy.here.require_root", lambda layout: None)
    monkeypatch.setattr("edgekit.deploy.health.unhealthy", lambda hands: "")
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path / "site"))
    return site
