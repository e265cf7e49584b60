"""Whether CUDA starts here: what the driver's own library answers to ``cuInit``, in a process of its own.

That nvidia-smi lists a GPU proves nothing for programs that compute: it asks another library (NVML), which needs
neither /dev/nvidia-uvm nor a Jetson's /dev/nvmap. The calls and the numbers of their errors are those of cuda.h (CUDA's
driver API). A process of its own, since a broken driver may end it, and since CUDA keeps what it took until a process
ends.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from edgekit.machine.host import Host
from edgekit.machine.programs import Reply

_ASK = """\
import ctypes, json
try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    print(json.dumps([-1, 0, str(error)]))
else:
    count, name = ctypes.c_int(0), ctypes.c_char_p()
    code = cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count))
    cuda.cuGetErrorName(code, ctypes.byref(name))
    print(json.dumps([code, count.value, (name.value or b"").decode()]))
"""


@dataclass(frozen=True)
class Start:
    """What a start of CUDA came to.

    ``code`` is CUDA's (0: it runs), -1 where there is no library of the driver's to ask; ``gpus`` how many it sees;
    ``name`` the error's ("CUDA_ERROR_NO_DEVICE"), or why the library can't be loaded.
    """

    code: int
    gpus: int
    name: str


def start_cuda(host: Host) -> tuple[Start | None, Reply]:
    """Start CUDA in a process of its own; None where that gave no answer, and the process's reply, which says why."""
    reply = host.run(sys.executable, "-c", _ASK, seconds=60)
    return _start(reply), reply


def _start(reply: Reply) -> Start | None:
    if reply.code != 0:
        return None
    try:
        code, gpus, name = json.loads(reply.out.strip().splitlines()[-1])
        return Start(int(code), int(gpus), str(name))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
