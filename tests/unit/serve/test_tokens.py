"""Tokens: whoever has the secret gets in, at once and not a moment longer, and whatever is damaged lets nobody in."""

from __future__ import annotations

import errno
import hashlib
import hmac
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.errors import ConfigError, EdgeKitError, InputError
from edgekit.serve import tokens as module
from edgekit.serve.tokens import Token, Tokens, add, read_tokens, remove, tokens_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "site" / "tokens.toml"


def test_a_secret_is_its_tokens_alone(file: Path) -> None:
    ward, night = add(file, "ward-7"), add(file, "night", batch=True)
    tokens = Tokens.load(file)
    assert [tokens.match(secret) for secret in (ward, night)] == list(read_tokens(file))
    assert [(token.name, token.batch) for token in read_tokens(file)] == [("ward-7", False), ("night", True)]
    wrong = [
        "",
        "ward-7",
        ward[:-1],
        ward + "x",
        ward.swapcase(),
        read_tokens(file)[0].sha256,
        "ü",
        "\udcff",
        "0" * 100000,
    ]
    assert [tokens.match(secret) for secret in wrong] == [None] * len(wrong)


def test_a_secret_is_256_random_bits_and_stands_nowhere(file: Path) -> None:
    secrets = {add(file, f"t{i}") for i in range(5)}
    assert len(secrets) == 5
    assert all(secret.startswith("ek-") and len(secret) == len("ek-") + 43 for secret in secrets)
    text = file.read_text()
    assert not [secret for secret in secrets if secret in text or secret[3:] in text]
    assert {hashlib.sha256(secret.encode()).hexdigest() for secret in secrets} == {
        token.sha256 for token in read_tokens(file)
    }


def test_the_file_is_its_owners_alone_and_written_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0)
    try:
        add(file, "ward-7")
    finally:
        os.umask(before)
    assert {path.name: path.stat().st_mode & 0o777 for path in file.parent.iterdir()} == {
        "tokens.toml": 0o600,
        ".tokens.toml.lock": 0o600,
    }
    text = file.read_text()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EdgeKitError, match="No space is left"):
        add(file, "night")
    assert file.read_text() == text
    assert len(list(file.parent.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "a b", "-a", ".a", "a/b", "ä", 'a"', "a\n", "a" * 65])
def test_a_name_that_is_none(file: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no name for a token"):
        add(file, name)
    assert not file.exists()


def test_names_are_told_apart(file: Path) -> None:
    add(file, "Dr.X_1-a")
    with pytest.raises(InputError, match="already"):
        add(file, "Dr.X_1-a")
    with pytest.raises(InputError, match=r"no token called 'Dr\.X_1-b'") as caught:
        remove(file, "Dr.X_1-b")
    assert "Did you mean 'Dr.X_1-a'?" in caught.value.hint
    assert remove(file, "Dr.X_1-a").tokens == ()
    with pytest.raises(InputError, match="no token"):
        remove(file, "Dr.X_1-a")


def test_a_running_service_sees_what_changes(file: Path) -> None:
    tokens = Tokens.load(file)
    assert not tokens.required
    ward = add(file, "ward")
    assert tokens.current().required
    assert tokens.match(ward)
    night = add(file, "dusk")
    assert tokens.match(night)
    remove(file, "ward")
    assert tokens.match(ward) is None
    assert tokens.match(night)


def test_what_is_removed_is_told_also_where_another_has_its_name_at_once(file: Path) -> None:
    """What was remembered of one's questions must not serve the other."""
    add(file, "ward")
    add(file, "dusk")
    tokens, removed = Tokens.load(file), list[Token]()
    first = tokens.tokens[0]
    tokens.on_removed = removed.append
    add(file, "third")
    tokens.current()
    assert removed == []
    remove(file, "ward")
    add(file, "ward")
    tokens.current()
    assert removed == [first]
    assert tokens.tokens[-1].name == first.name
    text = file.read_text()
    file.write_text("damaged")
    tokens.current()
    file.write_text(text)
    tokens.current()
    assert removed == [first], "who can't be let in for a moment is not gone"


def test_the_last_one_that_goes_opens_nothing(file: Path) -> None:
    ward = add(file, "ward")
    tokens = Tokens.load(file)
    remove(file, "ward")
    assert tokens.match(ward) is None
    assert tokens.required
    assert not Tokens.load(file).required
    file.unlink()
    assert tokens.current().required


def test_the_file_is_read_when_it_changed_and_not_for_every_request(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ward = add(file, "ward")
    tokens = Tokens.load(file)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_tokens", None)
        assert tokens.match(ward)
    same_size = file.read_text().replace("ward", "warf")
    file.write_text(same_size)
    match = tokens.match(ward)
    assert match
    assert match.name == "warf"


DAMAGED = {
    "emptied": "",
    "cut off": 'format = 1\n[tokens."ward"]\nsha256 = "',
    "of another format": "format = 2\n",
    "with an unknown key": "format = 1\nopen = true\n",
    "with a hash that is none": 'format = 1\n[tokens.a]\nsha256 = ""\nbatch = false\ncreated = "2026-11-30"\n',
    "with a name that is none": f'format = 1\n[tokens."a b"]\nsha256 = "{"0" * 64}"\nbatch = true\ncreated = ""\n',
    "no text": "\0\x00",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_lets_nobody_in_and_the_log_says_so(
    file: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    ward = add(file, "ward")
    good = file.read_bytes()
    tokens = Tokens.load(file)
    file.write_text(text)
    with caplog.at_level(logging.ERROR):
        assert [tokens.match(ward) for _ in range(3)] == [None] * 3
    assert tokens.required
    assert len(caplog.records) == 1
    assert str(file) in caplog.text
    with pytest.raises(ConfigError):
        Tokens.load(file)
    with pytest.raises(ConfigError):
        add(file, "night")
    assert file.read_text() == text
    file.write_bytes(good)
    assert tokens.match(ward)


def test_a_service_without_tokens_closes_when_their_file_is_damaged(file: Path) -> None:
    tokens = Tokens.load(file)
    file.parent.mkdir()
    file.write_text("")
    file.chmod(0o600)
    assert tokens.current().required


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    ward = add(file, "ward")
    tokens = Tokens.load(file)
    file.chmod(mode)
    assert tokens.match(ward) is None
    with pytest.raises(ConfigError, match=f"mode {mode:o}") as caught:
        Tokens.load(file)
    subprocess.run(caught.value.hint.removeprefix("Run: "), shell=True, check=True)
    assert tokens.match(ward)


def test_what_is_no_file_is_refused_and_not_waited_for(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file, 0o600)
    with pytest.raises(ConfigError, match="no file"):
        read_tokens(file)
    with pytest.raises(ConfigError, match="can't be read"):
        read_tokens(file / "tokens.toml")
    tokens = Tokens(file / "tokens.toml", (Token("a", "0" * 64, False, ""),), None)
    assert tokens.current().tokens == ()


ADD = """
import sys
from pathlib import Path
from edgekit.serve.tokens import add
sys.stdin.readline()
for i in range(10):
    print(add(Path(sys.argv[1]), f"{sys.argv[2]}-{i}"))
"""


def test_two_who_add_at_once_lose_nothing(file: Path) -> None:
    command = [sys.executable, "-c", ADD, str(file)]
    adders = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("one", "two", "three")
    ]
    for adder in adders:
        assert adder.stdin
        adder.stdin.write("\n")
        adder.stdin.flush()
    secrets = [secret for adder in adders for secret in adder.communicate()[0].split()]
    assert len(secrets) == 30
    tokens = Tokens.load(file)
    assert len({token.name for token in map(tokens.match, secrets) if token}) == 30


def test_every_hash_is_compared_in_constant_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [add(file, f"t{i}") for i in range(3)]
    tokens, compared = Tokens.load(file), list[str]()

    def counted(left: str, right: str) -> bool:
        compared.append(left)
        return real(left, right)

    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", counted)
    for secret in [*secrets, "wrong"]:
        compared.clear()
        tokens.match(secret)
        assert compared == [token.sha256 for token in tokens.tokens]


def test_a_token_shows_no_hash() -> None:
    document = Token("a", "0" * 64, True, "2026-11-30").document()
    assert document == {"name": "a", "batch": True, "created": "2026-11-30"}


def test_tokens_lie_in_the_sites_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert tokens_file() == tmp_path / "tokens.toml"
