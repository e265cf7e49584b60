"""The session's cookie: read where it is whole and alone, and given with all that keeps it in its place."""

from __future__ import annotations

import secrets

import pytest

from edgekit.serve.ward.cookies import giving, secret_of, taking

SECRET = secrets.token_urlsafe(32)


def headers(*lines: str) -> list[tuple[bytes, bytes]]:
    return [(b"host", b"localhost"), *((b"cookie", line.encode("latin-1")) for line in lines)]


@pytest.mark.parametrize(
    ("lines", "tls", "is_read"),
    [
        ((f"edgekit={SECRET}",), False, True),
        ((f"a=b; edgekit={SECRET};c=d",), False, True),
        (("a=b", f"edgekit={SECRET}"), False, True),
        ((f"__Host-edgekit={SECRET}",), True, True),
        ((f"edgekit={SECRET}",), True, False),  # a page in clear could have set it
        ((f"__Host-edgekit={SECRET}",), False, False),
        ((), False, False),
        (("edgekit=",), False, False),
        (("edgekit=short",), False, False),
        ((f"edgekit={SECRET}\xe9",), False, False),
        ((f"edgekit={SECRET}; edgekit={SECRET}",), False, False),
        ((f"xedgekit={SECRET}",), False, False),
    ],
)
def test_a_secret_is_read_where_it_is_whole_and_alone(lines: tuple[str, ...], tls: bool, is_read: bool) -> None:
    assert secret_of(headers(*lines), tls=tls) == (SECRET if is_read else None)


@pytest.mark.parametrize("tls", [True, False])
def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites(tls: bool) -> None:
    name, *attributes = giving(SECRET, tls=tls).split("; ")
    assert name == f"{'__Host-' if tls else ''}edgekit={SECRET}"
    assert set(attributes) == {"Path=/", "HttpOnly", "SameSite=Strict"} | ({"Secure"} if tls else set())
    assert secret_of(headers(name), tls=tls) == SECRET


@pytest.mark.parametrize("tls", [True, False])
def test_a_cookie_is_dropped_by_the_name_that_it_was_given(tls: bool) -> None:
    name, *attributes = taking(tls=tls).split("; ")
    assert name == f"{'__Host-' if tls else ''}edgekit="
    assert "Max-Age=0" in attributes
    assert ("Secure" in attributes) == tls, "browsers leave a __Host- cookie alone that is not said to be so"
