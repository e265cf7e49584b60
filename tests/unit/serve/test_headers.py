"""What every answer says to a browser: once each, and the page's own policy counts."""

from __future__ import annotations

from edgekit.serve.headers import PAGE_POLICY, POLICY, SAFE, with_safe


def test_what_an_answer_lacks_is_added_once() -> None:
    headers = with_safe([(b"content-type", b"text/html"), (b"content-security-policy", PAGE_POLICY.encode())])
    named = dict(headers)
    assert len(named) == len(headers)
    assert named[b"content-security-policy"] == PAGE_POLICY.encode()
    assert {name.decode() for name in named} == {"content-type", *SAFE}
    assert dict(with_safe([]))[b"content-security-policy"] == POLICY.encode()


def test_nothing_may_run_that_does_not_lie_beside_the_page() -> None:
    for policy in (POLICY, PAGE_POLICY):
        sources = dict(part.split(" ", 1) for part in policy.split("; "))
        assert sources["default-src"] == "'none'"
        assert {name: sources[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "*" not in policy
