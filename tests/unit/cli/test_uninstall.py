"""`edgekit uninstall`: what would go is shown first, and what the service keeps stays."""

from __future__ import annotations

import pytest

from edgekit.cli.main import main
from tests.commands import run
from tests.deploying import OLD, Site


def test_what_goes_is_shown_first(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.installed(OLD)
    site.layout.data.mkdir(parents=True)
    shown = run("uninstall", "--dry-run")
    assert site.services.running == OLD
    assert main(["uninstall"]) == 0
    assert f"removed  {site.layout.releases}" in capsys.readouterr().out
    assert shown["kept"] == [str(site.layout.data), str(site.layout.configuration), str(site.layout.environment)]
    assert main(["uninstall"]) == 1
    assert "Nothing is installed" in capsys.readouterr().err
