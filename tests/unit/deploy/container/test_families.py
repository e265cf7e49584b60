"""Which family of images is for a target is read from a table; what a family ships keeps the rules of this house."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.tags import parse_tag

from edgekit.bundle.hashes import FileEntry
from edgekit.config.shipped import shipped_folder
from edgekit.deploy.container.carried import Carried
from edgekit.deploy.container.families import FOLDER, families, families_for, family_for, file_of
from edgekit.errors import ConfigError
from edgekit.target import target, targets

JETSONS = ("l4t-jp6", "l4t-jp7")
EVERY = ("cpu", "rtx", *JETSONS)


def wheel(tag: str) -> Carried:
    return Carried(Path(f"numpy-2-{tag}.whl"), "numpy", "2", parse_tag(tag), FileEntry(1, ""))


def steps(name: str) -> list[str]:
    """The instructions of a Dockerfile, a line each."""
    text = re.sub(r"^#.*\n", "", file_of(f"{name}/Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def service(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(file_of(f"{name}/compose.yaml").read_text(encoding="utf-8"))["services"]["edgekit"])


def test_every_target_that_ships_has_a_family() -> None:
    assert tuple(families()) == EVERY
    assert all(families_for(shape) for shape in targets())
    assert {path.name for path in shipped_folder(FOLDER).iterdir() if path.is_dir()} == set(EVERY)


@pytest.mark.parametrize(
    ("name", "tag", "family"),
    [
        ("cpu", "cp313-cp313-manylinux_2_28_aarch64", "cpu"),
        ("cpu", "py3-none-any", "cpu"),
        ("rtx3050", "cp312-cp312-manylinux_2_28_x86_64", "rtx"),
        ("orin", "cp310-cp310-manylinux_2_17_aarch64.manylinux2014_aarch64", "l4t-jp6"),
        ("orin", "cp312-cp312-manylinux_2_28_aarch64", "l4t-jp7"),
        ("orin", "cp311-abi3-manylinux_2_28_aarch64", "l4t-jp7"),
        ("orin", "cp39-abi3-manylinux_2_28_aarch64", "l4t-jp6"),
    ],
)
def test_the_target_and_the_wheels_say_which(name: str, tag: str, family: str) -> None:
    assert family_for(target(name), [wheel("py2.py3-none-any"), wheel(tag)]) == family


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("rtx3080", "cp312-cp312-linux_aarch64"),
        ("orin", "cp311-cp311-linux_aarch64"),
        ("orin", "cp310-cp310-linux_x86_64"),
    ],
)
def test_wheels_for_another_machine_are_refused_with_the_command_that_makes_the_right_ones(name: str, tag: str) -> None:
    with pytest.raises(ConfigError, match=f"for no image of {name}: numpy-2-{tag}.whl is not for ") as refused:
        family_for(target(name), [wheel(tag)])
    assert "make wheels PLATFORM=cp3" in refused.value.hint
    assert all(family.platform in refused.value.hint for family in families_for(target(name)).values())


def test_a_target_that_no_family_serves_is_told() -> None:
    with pytest.raises(ConfigError, match="No family of images serves 'boat'") as refused:
        families_for(replace(target("cpu"), container="boat"))
    assert "cpu, cuda, jetson" in refused.value.hint


def test_a_base_is_named_without_a_host_and_its_digest_is_whole_or_not_there() -> None:
    for family in families().values():
        assert re.fullmatch(r"[a-z0-9-]+/[a-z0-9-]+", family.image)
        assert re.fullmatch(r"(?:[0-9a-f]{64})?", family.digest)
        assert family.base.startswith(f"{family.image}:{family.tag}")
    assert replace(families()["cpu"], digest="0" * 64).base.endswith(f"@sha256:{'0' * 64}")


def test_no_file_names_a_host() -> None:
    paths = [path for path in shipped_folder(FOLDER).rglob("*") if path.is_file()]
    assert {path.name for path in paths} >= {"Dockerfile", "compose.yaml", "mounted.yaml", "commands.md", "bases.toml"}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for no_host in ("http://127.0.0.1:8080/", "nvidia.com/gpu=all"):  # the second names a device (CDI)
            text = text.replace(no_host, "")
        assert not re.search(r"://|\b[a-z0-9-]+\.(?:io|com|org|net)\b", text), path


@pytest.mark.parametrize("name", EVERY)
def test_a_dockerfile_keeps_the_rules(name: str) -> None:
    lines = steps(name)
    assert lines[0] == "ARG BASE", "no default"
    stages = [line.split() for line in lines if line.startswith("FROM ")]
    assert [(stage[1], stage[3]) for stage in stages] == [
        ("${BASE}", "code"),
        ("${BASE}", "service"),
        ("service", "mounted"),
        ("service", "baked"),
    ]
    final = lines[lines.index("FROM ${BASE} AS service") :]
    (user,) = (line.split()[1] for line in final if line.startswith("USER "))
    assert 0 < int(user.partition(":")[0]) < 1000
    assert all(f"{kind} " not in final[-1] for kind in ("RUN", "ADD"))
    assert any(line.startswith("HEALTHCHECK ") and "deploy.container.healthy" in line for line in final)
    assert 'ENTRYPOINT ["python3", "-s", "-m", "edgekit.deploy.container.start"]' in final
    assert not [line for line in lines if line.startswith(("ADD ", "ONBUILD ", "SHELL "))]
    assert not re.search(r"\b(?:apt|apt-get|curl|wget|git|npm|uv)\b", "\n".join(lines)), "nothing is loaded"
    (unpacking,) = (line for line in lines if "/pip" in line)
    assert all(
        option in unpacking for option in ("--isolated", "--no-index", "--require-hashes", "--no-deps", "--target")
    )
    assert "sha256sum --check" in unpacking


def test_the_dockerfiles_differ_in_what_a_gpu_needs_alone() -> None:
    plain = steps("cpu")
    for name in EVERY[1:]:
        more = [line for line in steps(name) if line not in plain]
        assert more.pop().endswith("NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility")
        assert [line.split()[-3:] for line in more] == (
            [["edgekit.deploy.container.linked", "/opt/edgekit", "tensorrt"]] if name in JETSONS else []
        )


@pytest.mark.parametrize("name", EVERY)
def test_compose_closes_off_what_the_service_does_not_need(name: str) -> None:
    told = service(name)
    assert told["read_only"] is True
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert told["restart"] == "unless-stopped"
    assert told["tmpfs"][0].startswith("/tmp:")
    assert [volume.partition(":")[2] for volume in told["volumes"]] == ["/etc/edgekit", "/var/lib/edgekit"]
    assert told["build"]["network"] == "none"
    assert "ports" not in told, "a published port would pass over the service's own guard"
    assert "privileged" not in told
    assert told.get("runtime") == (None if name == "cpu" else "nvidia")
    assert ("group_add" in told) == (name in JETSONS)


@pytest.mark.parametrize("name", [*(f"{family}/compose.yaml" for family in EVERY), "mounted.yaml"])
def test_compose_can_read_what_is_told_by_variables(name: str) -> None:
    text = file_of(name).read_text(encoding="utf-8")
    assert re.fullmatch(r"(?:[^$]|\$\$|\$\{[A-Z_]+(?::[-?][^${}]*)?\})*", text), "each $ begins a variable, or is $$"


@pytest.mark.parametrize("name", EVERY)
def test_a_release_in_another_folder_takes_the_place_and_the_data_of_the_one_before(name: str) -> None:
    told = yaml.safe_load(file_of(f"{name}/compose.yaml").read_text(encoding="utf-8"))
    assert (told["name"], service(name)["container_name"]) == ("edgekit", "edgekit")
    volumes = {volume: kept["name"] for volume, kept in told["volumes"].items()}
    mounted = dict(volume.split(":", 1) for volume in service(name)["volumes"])
    assert {volumes[volume]: place for volume, place in mounted.items()} == {
        "edgekit-configuration": "/etc/edgekit",
        "edgekit-data": "/var/lib/edgekit",
    }


def test_the_commands_start_what_compose_starts() -> None:
    text = file_of("commands.md").read_text(encoding="utf-8")
    grace_s = service("cpu")["stop_grace_period"].removesuffix("s")
    for run in (block for block in re.split(r"\n(?=docker|podman)", text) if " run --detach" in block):
        for option in (
            "--name edgekit ",
            f"--stop-timeout {grace_s} ",
            "--volume edgekit-configuration:/etc/edgekit ",
            "--volume edgekit-data:/var/lib/edgekit$",
        ):
            assert option in run
    assert text.count(" run --detach") == 2


def test_a_mounted_bundle_is_read_only() -> None:
    told = yaml.safe_load(file_of("mounted.yaml").read_text(encoding="utf-8"))["services"]["edgekit"]
    assert told.pop("image") == f"{service('cpu')['image']}-mounted", "nobody takes one for the other"
    assert told == {"build": {"target": "mounted"}, "volumes": ["./bundle:/opt/edgekit/bundle:ro"]}
