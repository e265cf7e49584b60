"""Images are built without a network and run closed off: on stand-ins for the bases that hospitals would build on.

The one for a processor answers as the bundle does here. Those for GPUs are built, each step of them; no GPU runs them.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.deploy.container.families import families, file_of
from edgekit.target import target
from tests import specs
from tests.embedded_bundles import EmbeddedBundles
from tests.installed import write_wheel
from tests.nspawn.engineer import PYTHONS, installed_code
from tests.nspawn.trees import tree
from tests.podman import CLOSED, Podman, podman_in, require_podman
from tests.releases import write_files
from tests.served import question

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

DEBIAN = "bookworm"
BASE, IMAGE, NAME = "localhost/base:1", "localhost/edgekit:cpu", "service"
VOLUMES = ("--volume=configuration:/etc/edgekit", "--volume=data:/var/lib/edgekit")
ASKED, TOKENS = "What do you see?", 12
_ASK = """
import json, sys, urllib.request
asked = urllib.request.Request("http://127.0.0.1:8080/v1/chat/completions", sys.stdin.buffer.read())
asked.add_header("Content-Type", "application/json")
print(json.load(urllib.request.urlopen(asked, timeout=100))["choices"][0]["message"]["content"])
"""
_IMPORTED = """
import numpy, os, tensorrt
print(numpy.WHOSE, tensorrt.WHOSE, tensorrt.__file__, os.readlink("/opt/edgekit/system/tensorrt"))
"""
_WHERE = "import edgekit, numpy; print(numpy.WHOSE, edgekit.__file__)"
PACKAGES = "/usr/lib/python3/dist-packages"
# What reads hospitals' pictures, and what tokenizers would load from a hub by: a third of all wheels.
SPARED = (
    "filelock",
    "fsspec",
    "hf-xet",
    "httpcore2",
    "httpx2",
    "huggingface-hub",
    "pydicom",
    "pylibjpeg",
    "python-gdcm",
)


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    require_podman()
    if sys.version_info[:2] != PYTHONS[DEBIAN] or platform.libc_ver()[0] != "glibc":
        pytest.skip("the stand-in's Python is Debian 12's, and its wheels are made of this one's environment")
    podman = podman_in(tmp_path_factory.mktemp("podman") / "images")
    try:
        podman.import_tree(tree(DEBIAN), BASE)
        if (tried := podman.run("--rm", *CLOSED, BASE, "true", check=False)).returncode != 0:
            pytest.skip(f"this machine lets nobody run a container: {tried.stderr[-300:]}")
        yield podman
    finally:
        podman.close()


@pytest.fixture(scope="module")
def bundle(podman: Podman, embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@pytest.fixture(scope="module")
def context(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As its user has it written: by the installed command, of what is installed."""
    folder = tmp_path_factory.mktemp("written")
    installed_code(folder / "installed")
    command = [sys.executable, "-m", "edgekit", "container", str(bundle.path), "--target", "cpu"]
    command += ["--base", BASE, "--unpinned", "--out", str(folder / "context")]
    path = {"PYTHONPATH": str(folder / "installed"), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(command, env=path, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    spare(folder / "context" / "wheels")
    return folder / "context"


def spare(wheels: Path) -> None:
    """Leave out what the tests' questions don't need."""
    listing = wheels / "requirements.txt"
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text("".join(line for line in lines if not line.startswith(SPARED)))
    for path in wheels.glob("*.whl"):
        if path.name.replace("_", "-").startswith(SPARED):
            path.unlink()


@pytest.fixture(scope="module")
def image(podman: Podman, context: Path) -> str:
    podman.build(context, IMAGE, BASE, "--target=baked")
    return IMAGE


@pytest.fixture(scope="module")
def service(podman: Podman, image: str) -> str:
    podman.run("--detach", f"--name={NAME}", *CLOSED, *VOLUMES, image)
    podman.wait_until_healthy(NAME)
    return NAME


def compiled(podman: Podman, name: str) -> list[str]:
    """The files that the device has added to the bundle, and when."""
    said = podman.exec(name, "find", "/var/lib/edgekit/added/engines", "-type", "f", "-printf", r"%p %T@\n")
    return sorted(said.splitlines())


def test_it_answers_as_the_bundle_does_here(podman: Podman, service: str, bundle: Bundle) -> None:
    picture = min((bundle.path / "golden").glob("*.png"))
    command = [sys.executable, "-m", "edgekit", "ask", str(bundle.path), ASKED, "--image", str(picture), "--json"]
    here = subprocess.run([*command, "--max-tokens", str(TOKENS)], capture_output=True, text=True, timeout=300)
    assert here.returncode == 0, here.stderr
    asked = json.dumps(question(ASKED, picture.read_bytes(), max_tokens=TOKENS))
    assert podman.exec(service, "python3", "-s", "-c", _ASK, said=asked).strip() == json.loads(here.stdout)["text"]


def test_it_runs_as_its_own_user_and_can_do_nothing_else(podman: Podman, service: str) -> None:
    told = dict(
        line.split(":", 1) for line in podman.exec(service, "cat", "/proc/1/status").splitlines() if ":" in line
    )
    assert told["Uid"].split() == ["890"] * 4
    assert {name: int(told[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == dict.fromkeys(
        ("CapPrm", "CapEff", "CapBnd"), 0
    )
    assert told["NoNewPrivs"].strip() == "1"
    tried = podman.exec(
        service, "sh", "-c", "for d in / /opt/edgekit/bundle /usr; do touch $d/x 2>/dev/null && echo $d; done; true"
    )
    assert not tried
    assert "Every file is what it was" in podman.logs(service)


def test_the_next_start_finds_what_was_compiled_also_by_a_bundle_that_is_mounted(
    podman: Podman, service: str, context: Path
) -> None:
    before = compiled(podman, service)
    assert any(line.split()[0].endswith("/lock.json") for line in before)
    assert podman.stop(service) == 0, "a stop ends it well"
    mounted = f"--volume={context / 'bundle'}:/opt/edgekit/bundle:ro"
    podman.run("--detach", "--name=again", *CLOSED, *VOLUMES, mounted, IMAGE)
    podman.wait_until_healthy("again")
    assert compiled(podman, "again") == before
    mounts = [line.split() for line in podman.exec("again", "cat", "/proc/mounts").splitlines()]
    (options,) = (mount[3].split(",") for mount in mounts if mount[1] == "/opt/edgekit/bundle")
    assert "ro" in options
    assert podman.stop("again") == 0


def test_a_bundle_for_a_gpu_is_not_left_to_the_processor(podman: Podman, image: str, tmp_path: Path) -> None:
    for_gpu = specs.manifest_alone(tmp_path / "bundle", target=target("rtx3050"))
    mounted = f"--volume={for_gpu.path}:/opt/edgekit/bundle:ro"
    done = podman.run("--name=blind", *CLOSED, mounted, image, check=False)
    assert done.returncode == 1
    assert "This container is shown no GPU of the target rtx3050" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def small_context(folder: Path, name: str, context: Path) -> Path:
    """The family's Dockerfile, with EdgeKit's own code and a numpy of a line."""
    wheels = folder / "wheels"
    write_wheel(wheels, "numpy", "2.9", {"numpy/__init__.py": b"WHOSE = 'wheel'\n"})
    lines = (context / "wheels" / "requirements.txt").read_text().splitlines(keepends=True)
    with (wheels / "requirements.txt").open("a") as listing:
        listing.writelines(line for line in lines if line.startswith(("edgekit==", "packaging==")))
    for pattern in ("edgekit-*.whl", "packaging-*.whl", "pip-*.whl", "pip.sha256"):
        for path in (context / "wheels").glob(pattern):
            shutil.copy(path, wheels)
    write_files(folder, {"bundle/manifest.json": b"{}"})
    shutil.copy(file_of(f"{name}/Dockerfile"), folder)
    return folder


@pytest.fixture(scope="module")
def jetpack(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A base as JetPack's: beside TensorRT, it has an old numpy of its own."""
    folder = tmp_path_factory.mktemp("jetpack")
    packages = {name: f"WHOSE = 'base'\n# {name}\n".encode() for name in ("numpy", "tensorrt")}
    write_files(folder, {f"packages/{name}/__init__.py": text for name, text in packages.items()})
    (folder / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\nCOPY packages {PACKAGES}\n")
    podman.build(folder, "localhost/jetpack:1", BASE)
    return "localhost/jetpack:1"


def test_a_jetson_s_image_takes_tensorrt_from_its_base_and_nothing_else(
    podman: Podman, context: Path, jetpack: str, tmp_path: Path
) -> None:
    first, second = (file_of(f"{name}/Dockerfile").read_text(encoding="utf-8") for name in ("l4t-jp6", "l4t-jp7"))
    assert first == second, "build each, then"
    image = "localhost/edgekit:l4t"
    podman.build(small_context(tmp_path / "context", "l4t-jp6", context), image, jetpack)
    said = podman.run("--rm", *CLOSED, "--entrypoint=python3", image, "-s", "-c", _IMPORTED).stdout
    assert said.split() == ["wheel", "base", "/opt/edgekit/system/tensorrt/__init__.py", f"{PACKAGES}/tensorrt"]


def test_the_image_for_rtx_cards_is_built(podman: Podman, context: Path, tmp_path: Path) -> None:
    image = "localhost/edgekit:rtx"
    podman.build(small_context(tmp_path / "context", "rtx", context), image, BASE)
    said = podman.run("--rm", *CLOSED, "--entrypoint=python3", image, "-s", "-c", _WHERE).stdout
    assert said.split() == ["wheel", "/opt/edgekit/site/edgekit/__init__.py"]


@pytest.mark.parametrize("name", families())
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is missing: `make test-system` installs it, where there is a wheel of it")
    done = subprocess.run([hadolint, file_of(f"{name}/Dockerfile")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
