"""An invitation is its link, a code where somebody looks at it, and until when it is good."""

from __future__ import annotations

import io
import sys

import pytest

from edgekit.cli.show.user import list_accounts, show_account, show_invited, show_removed
from edgekit.console import Console
from edgekit.serve.page_url import PageUrl
from edgekit.ward.accounts import Account
from edgekit.ward.users import Invited, ListedAccounts, RemovedAccount
from tests.mirrored import ROOT

Capture = pytest.CaptureFixture[str]
ADA = Account(id=1, name="ada", role="doctor", language="", created_s=0, disabled=False, has_password=True)
BO = Account(id=2, name="bo", role="admin", language="", created_s=0, disabled=False, has_password=False)
CY = Account(id=3, name="cy", role="admin", language="", created_s=0, disabled=True, has_password=True)
PAGE = PageUrl("https://ward7.example/", is_told=True)
LINK = f"{PAGE.text}#invitation=secret"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("days", "words"), [(7.0, "within 7 days"), (1.0, "within 24 hours"), (0.5, "within 12 hours")]
)
def test_a_link_stands_alone_on_its_line(days: float, words: str, capsys: Capture) -> None:
    show_invited(Console(), Invited(BO, LINK, days), PAGE)
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == LINK
    assert words in rest[0]
    assert "an admin" in rest[1]


def test_a_phone_reads_it_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    show_invited(Console(), Invited(ADA, LINK, 7.0), PAGE)
    assert isinstance(sys.stdout, Terminal)
    assert "▀" in sys.stdout.getvalue()


def test_how_each_signs_in(capsys: Capture) -> None:
    list_accounts(Console(), ListedAccounts(ROOT, (ADA, BO, CY)))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["account", "ada", "bo", "cy"]
    assert [words in line for words, line in zip(("password", "link", "disabled"), lines[1:], strict=True)] == [
        True
    ] * 3
    show_account(Console(), CY)
    assert capsys.readouterr().out == "'cy' is an admin; signs in: no, disabled.\n"


def test_what_went_with_an_account_is_said(capsys: Capture) -> None:
    show_removed(Console(), RemovedAccount("ada", 0))
    show_removed(Console(), RemovedAccount("bo", 12))
    assert capsys.readouterr().out == "'ada' is gone.\n'bo' is gone, and 12 conversations with it.\n"
