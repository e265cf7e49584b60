"""``edgekit report``: what it shows of profiles, what it draws of them, and what is no profile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgekit import config
from edgekit.cli.main import main
from edgekit.report.published import LLAVA_MED
from edgekit.target import targets
from edgekit.units import GIB
from tests import reported
from tests.unit.profile.made import changed
from tests.unit.report.test_memory import of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(config.dump(of(LLAVA_MED, "q4"))))
    return path


def test_the_command_shows_six_variants_and_what_was_measured(capsys: Capture, file: Path) -> None:
    assert main(["report", "memory"]) == 0
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["LLaVA-Med", "Q4", "static", "4.81"] in [line[:4] for line in lines]
    assert ["dynamic", "5.18"] in [line[:2] for line in lines]
    assert len([line for line in lines if "static" in line]) == 6
    assert "Measured" not in out
    assert main(["report", "memory", str(file)]) == 0
    measured = capsys.readouterr().out.partition("Measured on ")[2]
    assert measured.startswith("Some processor, 2 × 1024 tokens")
    assert "21 %" in measured  # 1 GiB of 4.81
    assert max(len(line.rstrip()) for line in (out + measured).splitlines()) <= 80


def test_the_document_has_what_the_table_has(capsys: Capture, file: Path) -> None:
    assert main(["report", "memory", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["variants"]) == 6
    four = document["variants"][2]
    assert four["published"]["static_bytes"] == 5_168_882_184
    assert four["measured"]["Some processor, 2 × 1024"]["static_ratio"] == GIB / 5_168_882_184
    assert sorted(four["planned"]) == sorted(shipped.name for shipped in targets())


def test_pictures_stay_in_their_folder_and_none_takes_another_s_place(
    capsys: Capture, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    leading_out = of(LLAVA_MED, "q4", model="../../x/" + "y" * 500, made="2026-11-09T12:00:00Z")
    other.write_text(json.dumps(config.dump(leading_out)))
    again = tmp_path / "again.json"
    again.write_text(json.dumps(config.dump(changed(leading_out, made="2026-11-10T12:00:00Z"))))
    out = tmp_path / "one" / "two" / "out"
    assert main(["report", "profile", *map(str, (file, other, again)), "--out", str(out), "--json"]) == 0
    found = [Path(picture) for picture in json.loads(capsys.readouterr().out)["pictures"]]
    assert len(set(found)) == 4
    assert {picture.parent for picture in found} == {out}
    assert sorted(path for path in (tmp_path / "one").rglob("*.*")) == sorted(found)


def test_the_command_draws(capsys: Capture, file: Path, tmp_path: Path) -> None:
    assert main(["report", "profile", str(file), "--out", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["pictures"]
    assert len(found) == 2
    assert all(Path(picture).stat().st_size > 1000 for picture in found)


@pytest.mark.parametrize("what", ["none.json", "empty", "cut.json"])
@pytest.mark.parametrize("command", ["memory", "profile"])
def test_what_is_no_profile_is_one_clear_error(
    what: str, command: str, capsys: Capture, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.json").write_text(file.read_text()[:400])
    assert main(["report", command, str(tmp_path / what)]) == 1
    err = capsys.readouterr().err
    assert what in err
    assert "Traceback" not in err
    assert "internal error" not in err


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return reported.write(tmp_path / "results", a=reported.evaluation("a", 60.0), b=reported.profile("a", 1.0, 1.25))


def test_the_paper_s_tables_and_figures_are_written(capsys: Capture, results: Path, tmp_path: Path) -> None:
    assert main(["report", "paper", str(results), "--out", str(tmp_path / "out")]) == 0
    written = capsys.readouterr().out.split()
    assert str(tmp_path / "out/report.html") in written
    assert all(Path(file).is_file() for file in written)
    (results / "c.json").write_text("[")
    assert main(["report", "paper", str(results), "--out", str(tmp_path / "other")]) == 1
    assert "c.json is not valid JSON" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_bundle_is_chosen_or_none_fits(capsys: Capture, results: Path) -> None:
    choose = ["report", "choose", str(results), "--memory"]
    assert main([*choose, "2 GiB", "--first-token", "900", "--disk", "1GiB"]) == 0
    assert capsys.readouterr().out.startswith("a: 45.0 %, the mean of VQA-RAD closed, VQA-RAD open")
    assert main([*choose, "1 GiB", "--json"]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "takes 256 MiB of memory too much" in printed.err
    assert main([*choose, "much"]) == 1
    assert "much" in capsys.readouterr().err
