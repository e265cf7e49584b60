"""What is brought back is all that was acknowledged before the backup, but for what was deleted since."""

from __future__ import annotations

import shutil
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edgekit.errors import EdgeKitError
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.verify import lines, verify
from edgekit.ward.backup import restore as restores
from edgekit.ward.backup.take_in import RESTORED
from edgekit.ward.database import Database
from edgekit.ward.keys import KEYS, master_key
from edgekit.ward.ward import Ward
from tests.unit.ward.backup.conftest import OWNER, Site, content, kept
from tests.wards import zero

Machines = tuple[Site, Site]
PLACES = ["backup", "backup.tar"]


@pytest.mark.parametrize("name", PLACES)
def test_a_backup_under_load_is_brought_back_on_a_bare_machine(machines: Machines, tmp_path: Path, name: str) -> None:
    one, two = machines
    acknowledged: dict[str, str] = {}
    stop, lock, enough = threading.Event(), threading.Lock(), threading.Event()

    def work(ward: Ward, worker: int) -> None:
        number = 0
        while not stop.is_set():
            with lock:  # the service has one thread for what it keeps
                label = f"{worker} {number}"
                acknowledged[label] = one.talk(ward, label)
            number += 1
            if len(acknowledged) > 20:
                enough.set()

    with one.open() as ward:
        threads = [threading.Thread(target=work, args=(ward, worker)) for worker in range(3)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        before = dict(acknowledged)
        backup = one.back_up(tmp_path / name)
        stop.set()
        for thread in threads:
            thread.join()
        gone = [*before][::4]
        for label in gone:
            ward.conversations.delete(OWNER, acknowledged[label])
        keys = one.copy_keys(tmp_path / "keys")
        there = content(ward)
    restored = two.restore(tmp_path / name, keys)
    assert restored.deleted == len(gone)
    assert (restored.lost, restored.missing, restored.replaced) == (0, 0, None)
    assert restored.key == tmp_path / "two" / "site" / "ward.key"
    assert len(before) <= backup.conversations <= len(acknowledged)
    with two.open() as ward:
        found = content(ward)
    stays = before.keys() - set(gone)
    assert {label: found[label] for label in stays} == {label: there[label] for label in stays}
    assert not found.keys() & set(gone)
    assert not [path for path in two.state.iterdir() if path.name.startswith(".restored")]
    assert (tmp_path / "two" / "site" / "ward.key").stat().st_mode & 0o777 == 0o400
    assert all((two.state / file).stat().st_mode & 0o777 == 0o600 for file in ("ward.db", "keys.db"))


def _back_up(site: Site, folder: Path, name: str = "backup", talks: int = 3) -> tuple[Path, Path]:
    """A backup of so many conversations, and the keys of then."""
    with site.open() as ward:
        for number in range(talks):
            site.talk(ward, f"talk {number}")
        site.audit().note("sign_in", "account anna")
    site.back_up(folder / name)
    return folder / name, site.copy_keys(folder / "keys")


def test_an_older_state_comes_back_and_what_was_there_is_kept(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    place, keys = _back_up(site, tmp_path)
    with site.open() as ward:
        gone = ward.conversations.list(OWNER)[0]
        ward.conversations.delete(OWNER, gone.id)
        site.talk(ward, "later")
        wal = (site.state / "ward.db-wal").exists()
        for name in ("ward.db-wal", "ward.db-shm"):
            shutil.copy(site.state / name, tmp_path / name)
    for name in ("ward.db-wal", "ward.db-shm"):  # as a killed service leaves them
        shutil.copy(tmp_path / name, site.state / name)
    assert wal
    restored = site.restore(place, keys)
    assert restored.replaced == site.state / "replaced-1"
    assert (restored.deleted, restored.key) == (1, None), "though the keys' copy is older than the deletion"
    assert {path.name for path in restored.replaced.iterdir()} >= {"ward.db", "ward.db-wal", "keys.db", "pictures"}
    assert not [*site.state.glob("*.db-*")]
    with site.open() as ward:
        assert content(ward).keys() == {"talk 0", "talk 1", "talk 2"} - {gone.label}


def test_a_damaged_ward_comes_back_with_the_keys_that_are_there(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    place, _ = _back_up(site, tmp_path)
    with site.open() as ward:
        ward.conversations.delete(OWNER, ward.conversations.list(OWNER)[0].id)
    zero(site.state / "ward.db", 0, 4096)
    with pytest.raises(EdgeKitError, match="is damaged"):
        site.open()
    restored = site.restore(place, site.copy_keys(tmp_path / "today"))
    assert (restored.conversations, restored.deleted, restored.audit_kept) == (2, 1, True)
    with site.open() as ward:
        assert len(content(ward)) == 2
    key = audit_key(master_key(site.state))
    assert verify(site.state / "audit", key).ok


def test_the_audit_that_is_there_goes_on(machines: Machines, tmp_path: Path) -> None:
    site, other = machines
    place, keys = _back_up(site, tmp_path)
    head = site.audit().note("sign_out", "account anna")
    restored = site.restore(place, keys)
    assert restored.audit_kept
    key = audit_key(master_key(site.state))
    assert verify(site.state / "audit", key, head).ok
    last = [*lines(site.state / "audit", key)][-1]
    assert (last.fields["event"], last.fields["who"], last.fields["count"]) == ("restored", "terminal root", 3)
    elsewhere = other.restore(place, keys)
    assert not elsewhere.audit_kept
    events = [line.fields["event"] for line in lines(other.state / "audit", key)]
    assert events == ["sign_in", "restored"]
    assert verify(other.state / "audit", key).ok


def test_nobody_is_signed_in_any_more(machines: Machines, tmp_path: Path) -> None:
    one, two = machines
    with one.open() as ward:
        account = ward.accounts.add("anna", "doctor")
        secret, invitation = ward.sessions.begin(account), ward.invitations.make(account)
        one.talk(ward, "one")
        one.back_up(tmp_path / "backup")
        keys = one.copy_keys(tmp_path / "keys")
    two.restore(tmp_path / "backup", keys)
    with two.open() as ward:
        assert ward.accounts.named("anna")
        assert ward.sessions.of(secret) is None
        with pytest.raises(EdgeKitError):
            ward.invitations.accept(invitation, "correct horse battery")


def test_keys_that_are_older_lose_what_is_younger(machines: Machines, tmp_path: Path) -> None:
    one, two = machines
    with one.open() as ward:
        one.talk(ward, "one")
        keys = one.copy_keys(tmp_path / "keys")
        one.talk(ward, "two")
    one.back_up(tmp_path / "backup")
    restored = two.restore(tmp_path / "backup", keys)
    assert (restored.conversations, restored.deleted, restored.lost) == (1, 0, 1)
    with two.open() as ward:
        assert content(ward).keys() == {"one"}


def test_a_picture_that_was_removed_meanwhile_is_no_loss_and_one_that_was_asked_about_is(
    machines: Machines, tmp_path: Path
) -> None:
    one, two = machines
    with one.open() as ward:
        talk = one.talk(ward, "one", pictures=2)
        ward.pictures.add(OWNER, talk, kept(b"nobody asked about it"))
        asked = [row[0] for row in ward.database.rows("SELECT file FROM main.pictures ORDER BY place")]
        for name in asked[1:]:
            (one.state / "pictures" / name[:2] / name).unlink()
        backup = one.back_up(tmp_path / "backup")
        keys = one.copy_keys(tmp_path / "keys")
    assert len(backup.damaged) == 2
    restored = two.restore(tmp_path / "backup", keys)
    assert (restored.pictures, restored.missing) == (2, 1)


def _state(site: Site) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes() for path in site.folder.rglob("*") if path.is_file() and "lock" not in path.name
    }


def test_while_a_service_runs_nothing_is_restored(machines: Machines, tmp_path: Path) -> None:
    site, _ = machines
    place, keys = _back_up(site, tmp_path)
    with site.open(), pytest.raises(EdgeKitError, match="A service is running"):
        site.restore(place, keys)


@pytest.mark.parametrize("damage", ["ward.db", "pictures", "audit", "manifest.json"])
def test_what_is_damaged_is_not_brought_back_and_nothing_changes(
    machines: Machines, tmp_path: Path, damage: str
) -> None:
    one, two = machines
    place, keys = _back_up(one, tmp_path)
    path = place / damage
    victim = path if path.is_file() else next(file for file in sorted(path.rglob("*")) if file.is_file())
    with two.open() as ward:
        two.talk(ward, "mine")
    _move_key(one, two)
    before = _state(two)
    zero(victim, 30, 8)
    with pytest.raises(EdgeKitError, match=r"is damaged|no backup"):
        two.restore(place, keys)
    victim.unlink()
    with pytest.raises(EdgeKitError, match=r"is damaged|no backup"):
        two.restore(place, keys)
    assert _state(two) == before


def _move_key(one: Site, two: Site) -> None:
    """The second machine's ward was begun with a key of its own, which is put aside."""
    (two.folder / "site" / "ward.key").unlink()
    shutil.copy(one.folder / "site" / "ward.key", two.folder / "site" / "ward.key")


def test_keys_that_don_t_fit_are_told(machines: Machines, tmp_path: Path) -> None:
    one, two = machines
    place, keys = _back_up(one, tmp_path)
    with two.open() as ward:
        two.talk(ward, "mine")
    others = two.copy_keys(tmp_path / "others")
    with pytest.raises(EdgeKitError, match="keys are not those of"):
        two.restore(place, others)
    with pytest.raises(EdgeKitError, match="key of another ward"):
        two.restore(place, keys)
    with two.open() as ward:
        assert content(ward).keys() == {"mine"}


def test_damaged_keys_are_told(machines: Machines, tmp_path: Path) -> None:
    one, two = machines
    place, _ = _back_up(one, tmp_path)
    with closing(Database(one.state / KEYS, master_key(one.state).derive(KEYS))) as database:
        database.change("UPDATE meta SET value = 'another' WHERE name = 'ward'")
    keys = one.copy_keys(tmp_path / "others")
    with pytest.raises(EdgeKitError, match="two different wards"):
        two.restore(place, keys)
    assert not (two.state / "ward.db").exists()


def test_one_that_was_cut_off_refuses_the_service_and_goes_on(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = machines
    place, keys = _back_up(site, tmp_path)

    def cut(state: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(restores, "take_in", cut)
        site.restore(place, keys)
    assert (site.state / RESTORED).is_dir()
    with pytest.raises(EdgeKitError, match="was cut off"):
        site.open()
    restored = site.restore(place, keys)
    assert restored.conversations == 3
    with site.open() as ward:
        assert len(content(ward)) == 3


def test_a_disk_that_is_too_small_is_told_before(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = machines
    place, keys = _back_up(one, tmp_path)

    def refuse(path: Path, size: int) -> None:
        raise EdgeKitError(f"{path} needs {size}", "Make room.")

    monkeypatch.setattr(restores, "require_space", refuse)
    with pytest.raises(EdgeKitError, match="needs"):
        two.restore(place, keys)
    assert not (two.state / "ward.db").exists()
