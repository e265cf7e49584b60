"""What was acknowledged stands, whatever happens to the process, the disk, or another that writes, too."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgekit.child import environment
from edgekit.errors import EdgeKitError
from edgekit.ward.audit import log as logs
from edgekit.ward.audit.head import NAME, Head, write_head
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.line import write
from edgekit.ward.audit.segments import segments
from edgekit.ward.audit.verify import lines, verify
from tests.audits import KEY, moment, opened, ticking, written
from tests.mirrored import ROOT

KEYS = AuditKeys.of(KEY)
SIGN_IN = {"event": "sign_in", "who": "account anna"}


def _events(folder: Path) -> list[str]:
    return [line.fields["event"] for line in lines(folder, KEY)]


def test_the_lines_are_their_owner_s_alone(tmp_path: Path) -> None:
    written(tmp_path / "audit", 2)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "audit").iterdir()}
    assert modes == {"000000000001.jsonl": 0o600, NAME: 0o600, ".lock": 0o600}
    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700


def test_a_day_and_a_size_begin_a_file_and_the_chain_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 5, 40_000)
    assert [path.name for path in segments(tmp_path)] == [f"{first:012}.jsonl" for first in (1, 3, 5)]
    monkeypatch.setattr(logs, "SEGMENT_BYTES", 1000)
    audit = opened(tmp_path, lambda: moment(5 * 40_000))
    for _ in range(6):
        audit.note("sign_in", "account anna")
    sizes = [path.stat().st_size for path in segments(tmp_path)]
    assert len(sizes) == 5
    assert max(sizes) <= 1000
    assert verify(tmp_path, KEY).lines == 11


def test_a_clock_that_jumps_back_begins_a_file_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path, 2)
    opened(tmp_path, lambda: moment(-1_796_000_000)).note("sign_in", "account anna")
    verified = verify(tmp_path, KEY)
    assert (verified.ok, verified.lines, verified.files) == (True, 3, 2)
    assert verified.last.startswith("1970-")


def _torn(folder: Path, at: int) -> bytes:
    """What a crash leaves of a fifth line behind four, of which nobody was told."""
    written(folder, 4)
    raw = write(KEYS.lines, moment(9), 5, list(lines(folder, KEY))[-1].digest, SIGN_IN) + b"\n"
    rest = raw[:at]
    with segments(folder)[0].open("ab") as file:
        file.write(rest)
    return rest


@pytest.mark.parametrize("at", [1, 2, 50, 200, -75, -2, -1])
@pytest.mark.parametrize("days", [0, 1])
def test_what_a_crash_left_is_set_aside_and_told(tmp_path: Path, at: int, days: int) -> None:
    rest = _torn(tmp_path, at)
    verified = verify(tmp_path, KEY)
    assert (verified.ok, verified.lines, verified.torn_bytes) == (True, 4, len(rest))
    opened(tmp_path, lambda: moment(86_400 * days + 10)).note("sign_in", "account anna")
    verified = verify(tmp_path, KEY)
    assert (verified.ok, verified.lines, verified.torn_bytes) == (True, 6, 0)
    assert _events(tmp_path)[4:] == ["set_aside", "sign_in"]
    (aside,) = tmp_path.glob("*.torn")
    assert aside.read_bytes() == rest


def test_what_a_power_cut_left_may_end_like_a_line(tmp_path: Path) -> None:
    written(tmp_path, 2)
    with segments(tmp_path)[0].open("ab") as file:
        file.write(bytes(300) + b'deadbeef"}\n')
    opened(tmp_path).note("sign_in", "account anna")
    assert verify(tmp_path, KEY).ok
    assert _events(tmp_path)[2:] == ["set_aside", "sign_in"]


def test_a_line_of_which_the_head_did_not_hear_any_more_stands(tmp_path: Path) -> None:
    heads = written(tmp_path, 3)
    write_head(tmp_path, KEYS.head, heads[1])
    assert verify(tmp_path, KEY).lines == 3
    opened(tmp_path).note("sign_in", "account anna")
    assert verify(tmp_path, KEY).lines == 4


@pytest.mark.parametrize("content", [b"", b'{"seq":3,"ti'])
def test_a_crash_at_the_first_line_of_a_file(tmp_path: Path, content: bytes) -> None:
    written(tmp_path, 2)
    (tmp_path / "000000000003.jsonl").write_bytes(content)
    assert verify(tmp_path, KEY).ok
    opened(tmp_path, lambda: moment(86_400)).note("sign_in", "account anna")
    verified = verify(tmp_path, KEY)
    assert verified.ok
    assert _events(tmp_path)[2:] == (["set_aside"] if content else []) + ["sign_in"]
    assert verified.files == 2


@pytest.mark.parametrize("at", [1, 100, -2])
def test_a_line_that_stood_and_was_cut_is_no_crash(tmp_path: Path, at: int) -> None:
    """Its number stays missing, whoever writes on, however often."""
    written(tmp_path, 4)
    path = segments(tmp_path)[0]
    content = path.read_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    path.write_bytes(content[:last] + content[last:][:at])
    for _ in range(2):
        opened(tmp_path).note("sign_in", "account anna")
        fault = verify(tmp_path, KEY).fault
        assert fault
        assert (fault.what, fault.line) == ("changed", 4)
    assert [line.seq for line in lines(tmp_path, KEY)] == [1, 2, 3, 5, 6]


def test_lines_cut_off_under_a_running_service_stay_missed(tmp_path: Path) -> None:
    audit = opened(tmp_path)
    heads = [audit.note("sign_in", "account anna") for _ in range(4)]
    path = segments(tmp_path)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    write_head(tmp_path, KEYS.head, heads[1])
    assert verify(tmp_path, KEY).ok, "an older state, put back whole"
    audit.note("sign_in", "account anna")
    fault = verify(tmp_path, KEY).fault
    assert fault
    assert (fault.what, fault.line) == ("removed", 3)


def test_two_that_write_see_each_other_s_lines(tmp_path: Path) -> None:
    service, command = opened(tmp_path), opened(tmp_path)
    for _ in range(3):
        service.note("sign_in", "account anna")
        command.note("account_added", "terminal root", account="ben")
    assert verify(tmp_path, KEY).lines == 6


def test_threads_write_one_after_another(tmp_path: Path) -> None:
    audit = opened(tmp_path)

    def work() -> None:
        for _ in range(10):
            audit.note("sign_in", "account anna")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(tmp_path, KEY).lines == 40


@pytest.mark.parametrize("room", [0, 1, 100])
def test_where_the_disk_is_full_the_act_is_refused_and_the_chain_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    audit = opened(tmp_path)
    audit.note("sign_in", "account anna")
    left, pwrite = [room], os.pwrite

    def full(descriptor: int, content: bytes, at: int) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        count, left[0] = pwrite(descriptor, content[: left[0]], at), 0
        return count

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(EdgeKitError, match="No space is left") as refused:
        audit.note("sign_in", "account anna")
    assert "Make room" in refused.value.hint
    verified = verify(tmp_path, KEY)
    assert (verified.ok, verified.lines, verified.torn_bytes) == (True, 1, 0)
    monkeypatch.undo()
    assert audit.note("sign_in", "account anna").seq == 2
    assert verify(tmp_path, KEY).lines == 2


def test_a_head_that_is_missing_is_told_and_one_of_another_key_is_no_audit_of_ours(tmp_path: Path) -> None:
    written(tmp_path, 2)
    (tmp_path / NAME).unlink()
    opened(tmp_path).note("sign_in", "account anna")
    assert _events(tmp_path)[2:] == ["unsealed", "sign_in"]
    write_head(tmp_path, bytes(32), Head(3, "0" * 64))
    with pytest.raises(EdgeKitError, match="None of the lines"):
        logs.Log(tmp_path, AuditKeys.of(bytes(32)), ticking()).append("sign_in", "account eve", {})


def test_a_folder_that_can_t_be_made_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdgeKitError, match="can't be written"):
        opened(tmp_path / "file" / "audit")


KILLED = """
import sys
from pathlib import Path
from tests.audits import opened
from edgekit.machine import moment
audit = opened(Path(sys.argv[1]), moment.now)
while True:
    print(audit.note("sign_in", "account anna").seq, flush=True)
"""


def test_what_was_acknowledged_before_a_kill_stands(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(1), 0
    for _ in range(2):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", KILLED, str(tmp_path)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=environment(),
            )
            for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout
            for _ in range(chance.randrange(1, 40)):
                acknowledged = max(acknowledged, int(writer.stdout.readline()))
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            assert writer.stdout
            said = writer.stdout.read().split("\n")[:-1]  # the last may be half a number
            acknowledged = max([acknowledged, *map(int, said)])
            writer.wait()
            writer.stdout.close()
        verified = verify(tmp_path, KEY)
        assert verified.ok, verified.fault
        assert verified.lines >= acknowledged
    opened(tmp_path).note("sign_in", "account anna")
    assert verify(tmp_path, KEY).ok
