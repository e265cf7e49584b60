"""The keys of every command's ``--json`` document, and of the files in a bundle: what people's scripts rely on.

``python -m tests.documents`` records them anew, into ``tests/data/documents.json``: run it where a key is added on
purpose, and say so in the changelog. Types stand in the place of values, and a list is what its first element is.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from edgekit.deploy.nightly import Means
from edgekit.phantom.embedded import embedded
from edgekit.profile import profile
from edgekit.ward.audit import Audit
from edgekit.ward.audit.here import audit_key
from edgekit.ward.keys import master_key
from tests import before, reported
from tests.commands import run
from tests.deploying import OLD, Site
from tests.edited import edit
from tests.fake_judge import Said, fake_judge, in_turn
from tests.installed import write_wheel
from tests.question_sets import conversation, conversation_rows
from tests.releases import small_bundle
from tests.reported import evaluation, write
from tests.simulated_tensorrt.machine import CARD, simulate

RECORD = before.DATA / "documents.json"
Shape: TypeAlias = "str | list[Any] | dict[str, Any]"
SEALED = ("manifest.json", "golden.json", "fidelity.json")


def shape(value: Any) -> Shape:
    """Nested keys with the names of JSON's types: "text", "number", "truth", or "nothing" for null."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "truth" if isinstance(value, bool) else _SCALARS[type(value)]


_SCALARS = {str: "text", int: "number", float: "number", type(None): "nothing"}


def differences(recorded: Shape, today: Shape, path: str = "") -> Iterator[str]:
    """What differs, a line each. Null and an empty list differ from nothing: a machine may have none of something."""
    if "nothing" in (recorded, today) or (isinstance(recorded, list) and isinstance(today, list) and not today):
        return
    if isinstance(recorded, dict) and isinstance(today, dict):
        if list(recorded) != list(today) and set(recorded) == set(today):
            yield f"{path}: {', '.join(today)} stood in another order: {', '.join(recorded)}"
        for key in [*recorded, *(key for key in today if key not in recorded)]:
            if key not in today or key not in recorded:
                yield f"{path}/{key} is {'gone' if key in recorded else 'new'}"
            else:
                yield from differences(recorded[key], today[key], f"{path}/{key}")
    elif isinstance(recorded, list) and isinstance(today, list):
        yield from differences(recorded[0], today[0], f"{path}/0") if recorded else ()
    elif recorded != today:
        yield f"{path} is {_word(today)}, and was {_word(recorded)}"


def _word(value: Shape) -> str:
    return value if isinstance(value, str) else "a list" if isinstance(value, list) else "an object"


def documents(folder: Path) -> dict[str, Shape]:
    """Run every command with ``--json``, and read the files that they left; by what was run."""
    return {name: shape(json.loads(json.dumps(value).replace(f"{folder}/", ""))) for name, value in _documents(folder)}


def _documents(folder: Path) -> Iterator[tuple[str, Any]]:
    checkpoint = before.unpack(folder / "before") / "checkpoint"
    edit(checkpoint / "config.json", lambda config: config["text_config"].update(max_position_embeddings=512))
    model, small = str(embedded()), str(checkpoint)
    yield "demo", run("demo", "--no-chat", "--out", str(folder / "demo"))
    bundle, picture = folder / "demo" / "q4", str(folder / "demo" / "phantom.png")
    yield "targets", run("targets")
    yield "targets orin", run("targets", "orin")
    yield "targets --detect", run("targets", "--detect")
    yield "doctor", run("doctor", "--target", "cpu", codes=(0, 1))
    yield "doctor --target orin", run("doctor", "--target", "orin", codes=(0, 1))
    yield "inspect CHECKPOINT", run("inspect", model)
    yield from _planned(bundle)
    yield from _built(folder, model, small)
    yield from _of_bundle(folder, bundle, picture)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEKIT_SITE", str(folder / "site"))
        patch.setenv("EDGEKIT_STATE", str(folder / "state"))
        yield from _of_site()
        yield from _of_installation(folder / "root", patch)
        yield from _of_container(folder / "container")
        yield from _of_ward(folder / "state")
        yield "support", run("support", str(bundle), "--out", str(folder / "support.tar.gz"))
    with pytest.MonkeyPatch.context() as patch:
        yield from _simulated(folder / "gpu", small, patch)


def _planned(bundle: Path) -> Iterator[tuple[str, Any]]:
    yield "plan", run("plan")
    yield "plan --target rtx3050", run("plan", "--target", "rtx3050")
    narrow = bundle.parent / "narrow.toml"
    cpu = (before.TARGETS / "cpu.toml").read_text(encoding="utf-8")
    narrow.write_text(cpu.replace('memory = "0 B"', 'memory = "1354 MiB"'), encoding="utf-8")
    yield "plan, too large", run("plan", "--target", str(narrow), "--slots", "64", codes=(3,))
    yield "plan --all", run("plan", "--all")
    yield "plan BUNDLE", run("plan", str(bundle))


def _built(folder: Path, model: str, small: str) -> Iterator[tuple[str, Any]]:
    calibration = folder / "phantoms"
    yield "phantoms", run("phantoms", str(calibration), "--count", "4")
    for form in ("vqa-rad", "dicom"):
        yield f"phantoms --form {form}", run("phantoms", str(folder / form), "--count", "1", "--form", form)
    yield "build", run("build", small, "--target", "cpu", "--out", str(folder / "small"))
    yield "build --target orin", run("build", small, "--target", "orin", "--out", str(folder / "orin"))
    widened = ("--fit", "1 MiB", "--calibrate", str(calibration))
    yield "build --fit", run("build", small, "--target", "cpu", *widened, "--out", str(folder / "widened"))
    yield "quantize", run("quantize", model, "--out", str(folder / "quantized"))
    yield "export", run("export", small, "--out", str(folder / "graphs"))


def _of_bundle(folder: Path, bundle: Path, picture: str) -> Iterator[tuple[str, Any]]:
    path = str(bundle)
    yield "compile", run("compile", path)
    yield "inspect BUNDLE", run("inspect", path, "--verify")
    yield "check", run("check", path)
    yield "check --processor --no-verify", run("check", path, "--processor", "--no-verify")
    yield "ask", run("ask", path, "What do you see?", "--image", picture, "--max-tokens", "3")
    (folder / "day").mkdir()
    shutil.copy(picture, folder / "day")
    yield "ask --batch", run("ask", path, "What do you see?", "--batch", str(folder / "day"), "--max-tokens", "3")
    with pytest.MonkeyPatch.context() as patch:  # figures are numbers, however short they are measured
        patch.setattr("edgekit.profile.profile", partial(profile, seconds=0.05))
        yield "profile", run("profile", path, "--slots", "1", "--force")
    yield "evaluate BUNDLE", run("evaluate", path, "--questions", "6")
    yield "evaluate BUNDLE BUNDLE", run("evaluate", path, path, "--questions", "6")
    asked = ("--data", str(folder / "vqa-rad"), "--split", "test", "--out", str(folder / "predictions.jsonl"))
    yield "evaluate --data", run("evaluate", path, *asked)
    yield "evaluate --calibrate-confidence", run("evaluate", path, "--questions", "12", "--calibrate-confidence")
    yield "confidence.json", json.loads((bundle / "confidence.json").read_text(encoding="utf-8"))
    yield "evaluate --predictions", run("evaluate", "--predictions", asked[-1], *asked[:-2])
    yield "evaluate --judge", _judged(folder / "conversation")
    yield "plan --fit", run("plan", "--fit", path)
    yield "report memory", run("report", "memory", path)
    yield "report profile", run("report", "profile", path, "--out", str(folder / "pictures"))
    yield "report fidelity", run("report", "fidelity", path)
    yield "report engines", run("report", "engines", path)
    results = write(folder / "results", a=evaluation("a", 60.0), b=reported.profile("a", 1.0, 1.25))
    yield "report paper", run("report", "paper", str(results), "--out", str(folder / "paper"))
    yield "report choose", run("report", "choose", str(results), "--memory", "2 GiB")
    (compiled,), (profiled,) = (bundle / "engines").iterdir(), (bundle / "profiles").iterdir()
    files = {name: bundle / name for name in SEALED} | {"lock.json": compiled / "lock.json", "profile.json": profiled}
    for name, file in files.items():
        yield name, json.loads(file.read_text(encoding="utf-8"))


def _judged(folder: Path) -> Any:
    """What a judge thinks of three answers, of which it scores one."""
    data, predictions = conversation(folder), folder / "theirs.jsonl"
    lines = [{"question_id": row["question_id"], "text": "An effusion."} for row in conversation_rows()]
    predictions.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    asked = ("--predictions", str(predictions), "--data", str(data), "--split", "all")
    with fake_judge(in_turn(Said("8 6"), Said("Sorry."), then=Said("Better."))) as judge:
        return run("evaluate", *asked, "--judge", judge.url, "--judge-model", "m")


def _of_site() -> Iterator[tuple[str, Any]]:
    """What the service of this machine is told."""
    yield "token add", run("token", "add", "ward-7")
    yield "token list", run("token", "list")
    yield "token remove", run("token", "remove", "ward-7")
    yield "tls make", run("tls", "make", "--address", "192.0.2.0/24")
    yield "tls make --force", run("tls", "make", "--force")
    yield "tls show", run("tls", "show")


def _of_installation(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """What is installed, by stand-in releases and services."""
    folder.mkdir()
    site = Site(folder)
    site.results["profile"] = {"static_bytes": 1, "dynamic_bytes": 1, "budget": []}
    patch.setattr("edgekit.deploy.here.order_here", lambda bundle, wheels, layout, forced: site.order(bundle.name * 64))
    patch.setattr("edgekit.deploy.here.hands_here", lambda layout, **more: site.hands)
    patch.setattr("edgekit.deploy.here.require_root", lambda layout: None)
    patch.setattr("edgekit.deploy.health.unhealthy", lambda hands: "")
    yield "install --dry-run", run("install", "1", "--dry-run")
    site.installed(OLD)
    yield "install", run("install", "2")
    means = Means(
        look=lambda release: (),
        replaced=lambda pid: (),
        lacking=lambda bundle: "",
        forbidden=lambda: "",
        hurried=lambda hands, seconds: hands,
    )
    patch.setattr("edgekit.deploy.nightly_here.means_here", lambda layout, progress: means)
    yield "status", run("status")
    yield "status --check", run("status", "--check")
    yield "commit --if-healthy", run("commit", "--if-healthy")
    yield "rollback", run("rollback")
    yield "status, went back", run("status")
    run("install", "2")
    yield "commit", run("commit")
    yield "uninstall", run("uninstall")


def _of_container(folder: Path) -> Iterator[tuple[str, Any]]:
    """What an image is built from."""
    bundle = small_bundle(folder / "bundle", {"tokenizer.json": b"{}"})
    for name in ("edgekit", "pip"):
        write_wheel(folder / "wheels", name, "1", {})
    options = ("--wheels", str(folder / "wheels"), "--base", "base:1", "--unpinned", "--out", str(folder / "out"))
    yield "container", run("container", str(bundle.path), *options)


def _of_ward(state: Path) -> Iterator[tuple[str, Any]]:
    """What is kept on this machine."""
    yield "user add", run("user", "add", "anna")
    yield "user reset", run("user", "reset", "anna")
    yield "user role", run("user", "role", "anna", "admin")
    yield "user list", run("user", "list")
    yield "user disable", run("user", "disable", "anna")
    yield "user enable", run("user", "enable", "anna")
    yield "user remove", run("user", "remove", "anna")
    yield "feedback export", run("feedback", "export", str(state.parent / "corrections"))
    Audit.open(state / "audit", audit_key(master_key(state))).note("sign_in", "account anna")
    yield "audit head", run("audit", "head")
    yield "audit verify", run("audit", "verify")
    yield "audit replay", run("audit", "replay", "nowhere", "bundle", codes=(1,))
    safe = state.with_name("safe")
    safe.mkdir()
    copies = str(state.with_name("backup")), "--keys", str(safe / "keys")
    yield "backup", run("backup", *copies)
    yield "restore", run("restore", *copies)
    (lines,) = (state / "audit").glob("*.jsonl")
    lines.write_bytes(lines.read_bytes().replace(b"anna", b"eve_"))
    yield "audit verify, changed", run("audit", "verify", codes=(3,))


def _simulated(folder: Path, small: str, patch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """What only a GPU's bundle has: engines that were compiled here, and their check."""
    folder.mkdir()
    simulate(folder, patch, CARD)
    bundle = folder / "bundle"
    yield "GPU: build", run("build", small, "--target", "rtx3050", "--out", str(bundle))
    yield "GPU: compile", run("compile", str(bundle))
    yield "GPU: check", run("check", str(bundle))
    yield "GPU: inspect", run("inspect", str(bundle))
    yield "GPU: report engines", run("report", "engines", str(bundle))
    (compiled,) = (bundle / "engines").iterdir()
    for file in sorted(compiled.glob("*.json")):
        yield f"GPU: {file.name}", json.loads(file.read_text(encoding="utf-8"))


def main() -> None:
    """Record."""
    with tempfile.TemporaryDirectory() as name:
        text = json.dumps(documents(Path(name)), indent=1)
    RECORD.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
