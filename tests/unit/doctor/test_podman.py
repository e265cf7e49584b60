"""What the doctor says of a podman and the toolkit's description of the GPU."""

from __future__ import annotations

import pytest

from edgekit.doctor.podman import podman
from tests.unit.doctor.conftest import Says
from tests.unit.machine.recordings import DESKTOP, VM, Recording

NEW = (
    "---\ncdiVersion: 0.7.0\ncontainerEdits:\n  deviceNodes:\n  - path: /dev/nvidiactl\n    additionalGids:\n    - 44\n"
    "devices:\n- containerEdits: {}\n  name: all\nkind: nvidia.com/gpu\n"
)
OLD = NEW.replace("0.7.0", "0.5.0").replace("    additionalGids:\n    - 44\n", "")
FLAG = "no-additional-gids-for-device-nodes"


def with_podman(version: str, files: dict[str, str]) -> Recording:
    return DESKTOP.changed(files=files, answers={"podman --version": f"podman version {version}\n"})


@pytest.mark.parametrize("version", ["4.3.1", "4.6.2", "4.9.3", "5.0.3"])
@pytest.mark.parametrize(
    "text", [NEW, '{"cdiVersion":"0.7.0","kind":"nvidia.com/gpu","devices":[]}', NEW.replace("7", "8", 1)]
)
def test_a_podman_that_is_too_old_for_it(says: Says, version: str, text: str) -> None:
    name = "etc/cdi/nvidia.json" if text.startswith("{") else "etc/cdi/nvidia.yaml"
    minor = 8 if "0.8.0" in text else 7
    what = f"podman {version} can't read /{name} (CDI 0.{minor}), so that containers find no GPU; 5.1 and newer can"
    mend = f"sudo nvidia-ctk cdi generate --feature-flag {FLAG} --output=/{name}"
    assert says(podman, with_podman(version, {name: text}), "rtx3050") == [("bad", what, mend)]


def test_a_description_that_the_toolkits_service_writes_anew(says: Says) -> None:
    refreshed = {"run/cdi/nvidia.yaml": NEW, "etc/nvidia-container-toolkit/nvidia-cdi-refresh.env": ""}
    [diagnosis] = says(podman, with_podman("4.9.3", refreshed), "rtx3050")
    assert diagnosis[2] == (
        f"echo NVIDIA_CTK_CDI_GENERATE_FEATURE_FLAGS={FLAG} | "
        "sudo tee -a /etc/nvidia-container-toolkit/nvidia-cdi-refresh.env && sudo systemctl restart nvidia-cdi-refresh"
    )
    two = refreshed | {"etc/cdi/nvidia.yaml": OLD}
    assert "/run/cdi/nvidia.yaml (CDI 0.7)" in says(podman, with_podman("4.9.3", two), "rtx3050")[0][1]


@pytest.mark.parametrize(("version", "text"), [("5.1.0", NEW), ("5.7.0", NEW), ("4.9.3", OLD)])
def test_a_podman_that_reads_it(says: Says, version: str, text: str) -> None:
    reading = with_podman(version, {"etc/cdi/nvidia.yaml": text})
    assert says(podman, reading, "rtx3050") == [("good", f"podman {version} reads /etc/cdi/nvidia.yaml", "")]


def test_silent_where_it_is_of_no_concern(says: Says) -> None:
    assert says(podman, with_podman("4.9.3", {"etc/cdi/nvidia.yaml": NEW}), "cpu") == []
    assert (
        says(podman, with_podman("4.9.3", {"etc/cdi/other.yaml": NEW.replace("nvidia.com", "vendor.com")}), "rtx3050")
        == []
    )
    assert says(podman, with_podman("4.9.3", {}), "rtx3050") == []
    assert says(podman, with_podman("4.9.3", {"etc/cdi/nvidia.yaml": NEW, ".dockerenv": ""}), "rtx3050") == []
    assert says(podman, DESKTOP.changed(files={"etc/cdi/nvidia.yaml": NEW}), "rtx3050") == []
    assert says(podman, VM, "cpu") == []
