from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.config.shipped import shipped
from edgekit.errors import ConfigError
from edgekit.plan import plan
from edgekit.recipe import recipe, recipes
from edgekit.target import target, targets, with_site_budget
from tests.unit.plan.models import LLAVA_MED


def test_every_shipped_file_loads_under_its_own_name() -> None:
    assert {shown.name for shown in targets()} == set(shipped("targets")) == {"cpu", "orin", "rtx3050", "rtx3080"}
    assert {shown.name for shown in recipes()} == set(shipped("recipes")) == {"fp16", "fp32", "q4", "q8"}
    for name in shipped("targets"):
        assert target(name).name == name
    for name in shipped("recipes"):
        assert recipe(name).name == name


def test_a_budget_fits_its_device() -> None:
    for shown in targets():
        budget = shown.budget
        if budget.static_bytes is not None and budget.dynamic_bytes is not None:
            assert budget.static_bytes < budget.dynamic_bytes <= shown.memory_bytes - shown.reserved_bytes


def test_graphics_cards_compute_in_half_precision() -> None:
    assert {shown.name: shown.activations for shown in targets()} == {
        "cpu": "float32",
        "orin": "float16",
        "rtx3050": "float16",
        "rtx3080": "float16",
    }


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="no target called 'orni'") as caught:
        target("orni")
    assert "Did you mean 'orin'?" in caught.value.hint
    with pytest.raises(ConfigError, match="no recipe called 'q5'"):
        recipe("q5")


def test_a_file_of_ones_own_is_given_by_its_path(tmp_path: Path) -> None:
    text = shipped("targets")["orin"].read_text().replace('name = "orin"', 'name = "ward7"')
    path = tmp_path / "ward7.toml"
    path.write_text(text)
    assert target(str(path)).name == "ward7"
    path.write_text(text + "\nsatic = 1\n")
    with pytest.raises(ConfigError, match=r"ward7\.toml: unknown key 'budget\.satic'"):
        target(str(path))


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('reserved = "6 GiB"', 'reserved = "64 GiB"', "leaves nothing"),
        ("slots = 8", "slots = 0", "hold no conversation"),
        ("slots = 8", "slots = 8.0", "a whole number"),
        ('"tensorrt"', '"cuda"', "one of 'onnxruntime', 'onnxruntime-cuda', 'tensorrt'"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(tmp_path: Path, old: str, new: str, part: str) -> None:
    path = tmp_path / "t.toml"
    text = shipped("targets")["orin"].read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=part):
        target(str(path))


@pytest.mark.parametrize("name", ["../elsewhere", "", ".hidden", "a/b", "ward 7", "x" * 65, "a\\nb"])
def test_a_name_is_a_folder_s_name_and_no_path(name: str, tmp_path: Path) -> None:
    for shipped_one, load in ((shipped("targets")["cpu"], target), (shipped("recipes")["q4"], recipe)):
        text = shipped_one.read_text().splitlines()
        file = tmp_path / "own.toml"
        file.write_text("\n".join(f'name = "{name}"' if line.startswith("name =") else line for line in text))
        with pytest.raises(ConfigError, match="is no name"):
            load(str(file))


def test_a_site_lays_its_own_limits_over_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    assert with_site_budget(target("orin")) == target("orin")
    (tmp_path / "budgets").mkdir()
    (tmp_path / "budgets" / "orin.toml").write_text('static = "8 GiB"\nfirst_token_ms = 900\n')
    ours, shipped = with_site_budget(target("orin")).budget, target("orin").budget
    assert (ours.static_bytes, ours.first_token_ms) == (8 * 2**30, 900)
    assert replace(ours, static_bytes=shipped.static_bytes, first_token_ms=shipped.first_token_ms) == shipped
    assert with_site_budget(target("cpu")) == target("cpu")


@pytest.mark.parametrize(
    ("text", "said"),
    [('statc = "8 GiB"', "static"), ("static = 8", "unit"), ("static = ", "TOML"), ('load_s = "soon"', "load_s")],
)
def test_a_site_s_file_that_says_something_wrong_is_one_error(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEKIT_SITE", str(tmp_path))
    (tmp_path / "budgets").mkdir()
    (tmp_path / "budgets" / "cpu.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        with_site_budget(target("cpu"))
    assert str(tmp_path) in error.value.message
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["rtx3050", "rtx3080", "orin"])
def test_the_speed_that_a_gpu_is_held_to_is_half_of_what_its_bandwidth_allows(name: str) -> None:
    loaded = target(name)
    planned = plan(LLAVA_MED, loaded, recipe("q4" if name == "rtx3050" else "fp16")).components
    read = planned["decoder"] + planned["lm_head"]
    assert loaded.budget.tokens_per_s == int(loaded.bandwidth / read / 2)


@pytest.mark.parametrize("name", ["rtx3050", "rtx3080", "orin"])
def test_a_gpu_s_disk_holds_two_releases_of_the_variant_that_its_budget_is_made_for(name: str) -> None:
    loaded = target(name)
    device = plan(LLAVA_MED, loaded, recipe("q4" if name == "rtx3050" else "fp16")).disk.device_bytes
    assert loaded.budget.disk_bytes
    assert device <= loaded.budget.disk_bytes < device + 2**30
