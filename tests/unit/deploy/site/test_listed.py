"""A distribution's files by its RECORD: the code with its hashes, and nothing of the environment."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest

from edgekit.deploy.site.listed import digest, listed, record_text
from edgekit.errors import EdgeKitError
from tests.installed import install

FILES = {"toy/__init__.py": b"", "toy.libs/libtoy.so": b"\x7fELF"}
ENVIRONMENT = """\
../../../bin/toy,sha256=abc,12
/etc/toy.conf,sha256=abc,12
toy/__pycache__/__init__.cpython-311.pyc,,
toy/old.pyc,,
toy-1.dist-info/INSTALLER,sha256=abc,4
toy-1.dist-info/REQUESTED,sha256=abc,0
toy-1.dist-info/direct_url.json,sha256=abc,7
"""


def toy(folder: Path) -> Distribution:
    return next(iter(distributions(name="toy", path=[str(folder)])))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return install(tmp_path, "toy", files=FILES)


def test_code_is_listed_with_its_hashes(tmp_path: Path, own: Path) -> None:
    with (own / "RECORD").open("a") as record:
        record.write(ENVIRONMENT)
    files = listed(toy(tmp_path))
    assert {file.name for file in files} == {
        "toy/__init__.py",
        "toy.libs/libtoy.so",
        "toy-1.dist-info/METADATA",
        "toy-1.dist-info/WHEEL",
    }
    for file in files:
        assert file.path == tmp_path / file.name
        assert file.entry.bytes == len(file.path.read_bytes())
        assert file.entry.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_the_same_package_has_one_digest_wherever_it_is(tmp_path: Path, own: Path) -> None:
    here = digest(listed(toy(tmp_path)))
    with (own / "RECORD").open("a") as record:
        record.write(ENVIRONMENT)
    assert digest(listed(toy(tmp_path))) == here
    (own / "RECORD").write_text((own / "RECORD").read_text().replace("toy/__init__.py", "toy/__main__.py"))
    assert digest(listed(toy(tmp_path))) != here


def test_a_record_that_is_written_reads_the_same(tmp_path: Path, own: Path) -> None:
    name = "toy/data, old.bin"
    with (own / "RECORD").open("a") as record:
        record.write(f'"{name}",sha256={"A" * 43},7\n')
    files = listed(toy(tmp_path))
    assert name in {file.name for file in files}
    (own / "RECORD").write_text(record_text(files, "toy-1.dist-info/RECORD"))
    assert listed(toy(tmp_path)) == files


def test_what_pip_has_installed_here_reads_well() -> None:
    files = listed(distribution("packaging"))
    assert len(files) > 10
    for file in files:
        assert hashlib.sha256(file.path.read_bytes()).hexdigest() == file.entry.sha256


def test_a_link_to_its_source_is_refused(tmp_path: Path, own: Path) -> None:
    (own / "direct_url.json").write_text(json.dumps({"url": "file:///src", "dir_info": {"editable": True}}))
    with pytest.raises(EdgeKitError, match="a link to its source") as caught:
        listed(toy(tmp_path))
    assert "--wheels" in caught.value.hint
    (own / "direct_url.json").write_text(json.dumps({"url": "file:///src", "dir_info": {}}))
    assert listed(toy(tmp_path))
    (own / "direct_url.json").write_text("[")
    assert listed(toy(tmp_path))


def test_what_the_system_installed_is_refused(tmp_path: Path, own: Path) -> None:
    (own / "RECORD").unlink()
    with pytest.raises(EdgeKitError, match="toy was not installed by pip"):
        listed(toy(tmp_path))


@pytest.mark.parametrize(
    "row", ["toy/x.py,,", "toy/x.py", "toy/x.py,md5=abc,1", "toy/x.py,sha256=abc,1", "toy/x.py,sha256=é,1"]
)
def test_a_file_without_a_hash_is_refused(tmp_path: Path, own: Path, row: str) -> None:
    with (own / "RECORD").open("a") as record:
        record.write(row + "\n")
    with pytest.raises(EdgeKitError, match=r"no SHA-256 of toy/x\.py"):
        listed(toy(tmp_path))


def test_a_size_that_is_left_out_is_looked_up(tmp_path: Path, own: Path) -> None:
    record = own / "RECORD"
    record.write_text(record.read_text().replace(",4\n", ",\n"))
    assert {file.name: file.entry.bytes for file in listed(toy(tmp_path))}["toy.libs/libtoy.so"] == 4
    (tmp_path / "toy.libs" / "libtoy.so").unlink()
    with pytest.raises(EdgeKitError, match=r"libtoy\.so can't be read"):
        listed(toy(tmp_path))
