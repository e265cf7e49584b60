"""A site's settings: what it leaves out holds, and what can't be meant is refused with its place."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from edgekit.errors import ConfigError
from edgekit.serve import settings as module
from edgekit.serve.settings import Limits, Settings, settings
from edgekit.units import MIB


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    return tmp_path / "serve.toml"


def test_without_a_file_the_defaults_hold(file: Path) -> None:
    assert settings() == Settings()


def test_the_largest_picture_fits_into_the_largest_request() -> None:
    limits = Limits()
    assert 4 * -(-limits.image_bytes // 3) + limits.text_bytes <= limits.body_bytes


def test_the_example_in_the_documentation_is_read(file: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", module.__doc__ or "", re.S)
    assert example is not None
    file.write_text(example[1])
    read = settings()
    assert (read.aliases, read.hosts, read.proxies) == (("llava-med",), ("radiology.example",), ("10.0.0.2",))
    assert read.limits == Limits(body_bytes=48 * MIB, answer_s=300)


def test_every_limit_can_be_set_and_is_described(file: Path) -> None:
    names = [limit.name for limit in fields(Limits)]
    keys = {name: name.removesuffix("_bytes") for name in names}
    values = {name: '"7 MiB"' if name.endswith("_bytes") else "7" for name in names}
    file.write_text("[limits]\n" + "".join(f"{keys[name]} = {values[name]}\n" for name in names))
    assert vars(settings().limits) == {name: 7 * MIB if name.endswith("_bytes") else 7 for name in names}
    assert not [name for name in names if f"``{name}``" not in (Limits.__doc__ or "")]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[limits]\nrequest_s = 0", "request_s"),
        ("[limits]\nrequest_s = -1.0", "request_s"),
        ("[limits]\nrequest_s = nan", "request_s"),
        ("[limits]\nrequest_s = inf", "request_s"),
        ("[limits]\nconnections = 0", "connections"),
        ("[limits]\nwaiting = true", "waiting"),
        ("[limits]\nanswer_tokens = -1", "answer_tokens"),
        ("[limits]\ngrace_s = -0.5", "grace_s"),
        ("[limits]\nbodys = 1", "body"),
        ('hosts = "radiology.example"', "hosts"),
        ('host = ["radiology.example"]', "hosts"),
        ('hosts = ["https://radiology.example/"]', "without https://"),
        ('hosts = ["radiology.example:8443"]', "radiology.example:8443"),
        ('hosts = ["*.example"]', "*.example"),
        ('hosts = [""]', "''"),
        ('proxies = ["radiology.example"]', "radiology.example"),
        ('proxies = ["10.0.0.1/24"]', "10.0.0.1/24"),
        ('proxies = ["10.0.0.256"]', "10.0.0.256"),
        ("[limits", "serve.toml"),
    ],
)
def test_what_cant_be_meant_is_refused(file: Path, text: str, word: str) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings()
    assert word in str(caught.value)
    assert "serve.toml" in str(caught.value)


def test_nothing_is_a_limit_where_it_means_something() -> None:
    with pytest.raises(ConfigError, match="'bodies' is smaller than 'body'"):
        Limits(body_bytes=3, bodies_bytes=2)
    limits = Limits(answer_tokens=0, grace_s=0, resume_s=0)
    assert (limits.answer_tokens, limits.grace_s, limits.resume_s) == (0, 0, 0)


@pytest.mark.parametrize("proxy", ["10.0.0.2", "10.0.0.0/24", "::1", "fd00::/8"])
def test_a_proxy_is_an_address_or_a_network(proxy: str) -> None:
    assert Settings(proxies=(proxy,)).proxies == (proxy,)
