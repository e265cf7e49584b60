"""cuda-python's calls and what becomes of their failures, with a stand-in for ``cuda.bindings``.

The stand-in answers as cuda-python 12.9 does: a status first, then what was asked for.
"""

from __future__ import annotations

import ctypes
import enum
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from edgekit.engines.gpu.cuda import CudaDevice
from edgekit.engines.gpu.device import Lines
from edgekit.engines.kv import ArenaShape
from edgekit.engines.onnxruntime.arenas import CudaArena
from edgekit.errors import EngineError, MissingExtra


class Status(enum.IntEnum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorInsufficientDriver = 35
    cudaErrorNoDevice = 100
    cudaErrorIllegalAddress = 700
    cudaErrorStreamCaptureUnsupported = 900


class Library(ModuleType):
    """Answers every call with success and the number 4096, but for ``answers``; keeps what was ``asked``."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.cudaError_t = Status
        self.cudaStreamNonBlocking = 1
        self.cudaStreamCaptureMode = ModuleType("modes")
        self.cudaStreamCaptureMode.__dict__.update(cudaStreamCaptureModeThreadLocal="this thread")
        self.cudaMemcpyKind = ModuleType("kinds")
        self.cudaMemcpyKind.__dict__.update(
            cudaMemcpyHostToDevice="to", cudaMemcpyDeviceToHost="from", cudaMemcpyDeviceToDevice="within"
        )
        self.cudaDeviceAttr = ModuleType("attributes")
        self.cudaDeviceAttr.__dict__.update(
            cudaDevAttrComputeCapabilityMajor="major", cudaDevAttrComputeCapabilityMinor="minor"
        )

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("cu", "nvrtc")):
            raise AttributeError(name)

        def call(*arguments: Any) -> Any:
            self.asked.append((name, arguments))
            answer = self.answers.get(name, (Status.cudaSuccess, 4096))
            return answer(*arguments) if callable(answer) else answer

        return call

    @property
    def worked(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What was asked, but for the GPU that it was asked of."""
        return [call for call in self.asked if call[0] != "cudaSetDevice"]

    def CUstream(self, handle: int) -> str:
        return f"stream {handle}"


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> dict[str, Library]:
    names = ("driver", "nvrtc", "runtime")
    bindings = ModuleType("cuda.bindings")
    libraries = {name: Library(f"cuda.bindings.{name}") for name in names}
    for name, library in libraries.items():
        setattr(bindings, name, library)
        monkeypatch.setitem(sys.modules, f"cuda.bindings.{name}", library)
    monkeypatch.setitem(sys.modules, "cuda", ModuleType("cuda"))
    monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)
    return libraries


def test_without_cuda_python_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(MissingExtra, match=r"edgekit\[rtx\]"):
        CudaDevice("rtx")


@pytest.mark.parametrize(
    ("status", "driver", "said"),
    [
        (Status.cudaErrorNoDevice, 12060, "no NVIDIA GPU"),
        (Status.cudaErrorInsufficientDriver, 0, "no NVIDIA driver"),
        (Status.cudaErrorInsufficientDriver, 11040, r"can run CUDA 11\.4, and 12\.9 is installed"),
        (Status.cudaErrorMemoryAllocation, 12060, "run out of memory"),
        (Status.cudaErrorIllegalAddress, 12060, "cudaErrorIllegalAddress"),
    ],
)
def test_what_keeps_a_gpu_from_starting_is_said_in_words(
    status: Status, driver: int, said: str, cuda: dict[str, Library]
) -> None:
    cuda["runtime"].answers = {
        "cudaFree": (status,),
        "cudaDriverGetVersion": (Status.cudaSuccess, driver),
        "cudaRuntimeGetVersion": (Status.cudaSuccess, 12090),
    }
    with pytest.raises(EngineError, match=said) as failure:
        CudaDevice("tensorrt")
    assert failure.value.hint


NEWER = "Install one that runs CUDA 13: 580 or newer."


@pytest.mark.parametrize(
    ("extra", "driver", "hint"),
    [
        ("jetson", 12060, "Run: pip install 'cuda-python==12.*'"),
        ("jetson", 11040, "Flash JetPack 6 or newer."),
        ("jetson", 13000, "Flash a newer JetPack."),
        ("rtx", 12040, NEWER),
        ("tensorrt", 12040, f"{NEWER} If TensorRT is for CUDA 12: pip install 'cuda-python==12.*'"),
        ("tensorrt", 11040, NEWER),
        ("tensorrt", 13000, NEWER),
    ],
)
def test_an_old_driver_is_mended_by_what_helps_on_that_machine(
    extra: str, driver: int, hint: str, cuda: dict[str, Library]
) -> None:
    cuda["runtime"].answers = {
        "cudaFree": (Status.cudaErrorInsufficientDriver,),
        "cudaDriverGetVersion": (Status.cudaSuccess, driver),
        "cudaRuntimeGetVersion": (Status.cudaSuccess, 13040),
    }
    with pytest.raises(EngineError) as failure:
        CudaDevice(extra)
    assert failure.value.hint == hint


def test_no_room_says_for_what_and_how_much_there_is(cuda: dict[str, Library]) -> None:
    device = CudaDevice("tensorrt")
    cuda["runtime"].answers = {
        "cudaMalloc": (Status.cudaErrorMemoryAllocation, None),
        "cudaMallocHost": (Status.cudaErrorMemoryAllocation, None),
        "cudaMemGetInfo": (Status.cudaSuccess, 1 << 20, 1 << 30),
    }
    with pytest.raises(EngineError, match=r"no room for the KV arena of 2\.00 GiB; 1\.00 MiB are free"):
        device.allocate(2 << 30, "the KV arena")
    with pytest.raises(EngineError, match="to pin"):
        device.pin(100)


def test_copies_go_in_their_direction_on_the_device_s_stream(cuda: dict[str, Library]) -> None:
    device = CudaDevice("tensorrt")
    cuda["runtime"].asked.clear()
    device.upload(1, 2, 3)
    device.download(1, 2, 3)
    device.copy_lines(Lines(1, 10), Lines(2, 20), 5, 6)
    device.clear_lines(Lines(1, 10), 5, 6)
    device.synchronize()
    assert cuda["runtime"].worked == [
        ("cudaMemcpyAsync", (1, 2, 3, "to", 4096)),
        ("cudaMemcpyAsync", (1, 2, 3, "from", 4096)),
        ("cudaMemcpy2DAsync", (1, 10, 2, 20, 5, 6, "within", 4096)),
        ("cudaMemset2DAsync", (1, 10, 0, 5, 6, 4096)),
        ("cudaStreamSynchronize", (4096,)),
    ]


def test_pinned_memory_is_the_memory_at_its_address(cuda: dict[str, Library]) -> None:
    memory = (ctypes.c_uint8 * 16)()
    cuda["runtime"].answers["cudaMallocHost"] = (Status.cudaSuccess, ctypes.addressof(memory))
    device = CudaDevice("tensorrt")
    pinned = device.pin(16)
    pinned.bytes[3] = 7
    assert list(memory) == [0, 0, 0, 7] + [0] * 12
    device.unpin(pinned)
    assert cuda["runtime"].asked[-1] == ("cudaFreeHost", (ctypes.addressof(memory),))


def test_a_kernel_is_compiled_for_this_gpu_and_launched_with_typed_arguments(cuda: dict[str, Library]) -> None:
    cuda["runtime"].answers["cudaDeviceGetAttribute"] = lambda which, _: (0, {"major": 8, "minor": 6}[which])
    device = CudaDevice("tensorrt")
    kernel = device.compile("source", "keep")
    assert ("nvrtcCompileProgram", (4096, 1, [b"--gpu-architecture=sm_86"])) in cuda["nvrtc"].asked
    assert cuda["driver"].asked[0] == ("cuModuleLoadData", (bytes(4096),))
    device.launch(kernel, (1, 2, 3), 32, [ctypes.c_void_p(5), ctypes.c_int(6)])
    values = (5, 6), (ctypes.c_void_p, ctypes.c_int)
    assert cuda["driver"].asked[-1] == ("cuLaunchKernel", (4096, 1, 2, 3, 32, 1, 1, 0, "stream 4096", values, 0))
    device.close()
    assert ("cuModuleUnload", (4096,)) in cuda["driver"].asked
    assert ("cudaStreamDestroy", (4096,)) in cuda["runtime"].asked


@pytest.mark.parametrize("failure", [(6,), RuntimeError("libnvrtc.so.12 is not there")])
def test_without_a_compiler_there_is_no_kernel_and_a_warning(
    failure: Any, cuda: dict[str, Library], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        if isinstance(failure, Exception):
            raise failure
        return failure

    cuda["nvrtc"].answers["nvrtcCompileProgram"] = fail
    assert CudaDevice("tensorrt").compile("source", "keep") is None
    assert "written by copies" in caplog.text


def names(library: Library) -> list[str]:
    return [name for name, _ in library.worked]


def test_a_step_is_captured_once_and_launched_as_one(cuda: dict[str, Library]) -> None:
    device, library = CudaDevice("tensorrt"), cuda["runtime"]
    library.answers = {
        "cudaStreamEndCapture": (Status.cudaSuccess, "graph"),
        "cudaGraphInstantiate": (Status.cudaSuccess, "to launch"),
    }
    library.asked.clear()
    graph = device.capture(lambda: device.upload(1, 2, 3))
    assert names(library) == [
        *("cudaStreamBeginCapture", "cudaMemcpyAsync", "cudaStreamEndCapture", "cudaGraphInstantiate"),
        *("cudaGraphUpload", "cudaStreamSynchronize", "cudaGraphDestroy"),
    ]
    library.asked.clear()
    device.replay(graph)
    device.drop(graph)
    assert library.worked == [("cudaGraphLaunch", ("to launch", 4096)), ("cudaGraphExecDestroy", ("to launch",))]


@pytest.mark.parametrize(
    "failing", ["cudaMemcpyAsync", "cudaStreamEndCapture", "cudaGraphInstantiate", "cudaGraphUpload"]
)
def test_what_cannot_be_captured_leaves_the_stream_as_it_was(failing: str, cuda: dict[str, Library]) -> None:
    device, library = CudaDevice("tensorrt"), cuda["runtime"]
    library.answers = {failing: (Status.cudaErrorStreamCaptureUnsupported, None)}
    library.asked.clear()
    assert device.capture(lambda: device.upload(1, 2, 3)) is None
    assert "cudaStreamEndCapture" in names(library)
    assert ("cudaGraphDestroy" in names(library)) == (failing != "cudaStreamEndCapture")  # then there is none
    assert ("cudaGraphExecDestroy" in names(library)) == (failing == "cudaGraphUpload")


def test_an_interrupted_capture_ends(cuda: dict[str, Library]) -> None:
    device = CudaDevice("tensorrt")

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        device.capture(interrupted)
    assert names(cuda["runtime"])[-2:] == ["cudaStreamEndCapture", "cudaGraphDestroy"]


SHAPE = ArenaShape(layers=1, slots=2, kv_heads=2, context=8, head_dim=4, dtype="float16", spare_rows=1)


class Cards(Library):
    """Keeps on which GPU each call was made, as CUDA does: a thread stays on the last that it chose."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.current = 0
        self.answers["cudaSetDevice"] = self._choose

    def _choose(self, ordinal: int) -> tuple[Status]:
        self.current = ordinal
        return (Status.cudaSuccess,)

    def keep_places(self, *calls: str) -> list[tuple[str, int]]:
        """Return the list to which each of ``calls`` will add its name and the GPU that it goes to."""
        places: list[tuple[str, int]] = []

        def kept(call: str) -> Callable[..., tuple[Status, int]]:
            def answer(*_: Any) -> tuple[Status, int]:
                places.append((call, self.current))
                return Status.cudaSuccess, 4096

            return answer

        self.answers |= {call: kept(call) for call in calls}
        return places


@pytest.fixture
def cards(cuda: dict[str, Library], monkeypatch: pytest.MonkeyPatch) -> Cards:
    library = Cards("cuda.bindings.runtime")
    cuda["runtime"] = library
    monkeypatch.setitem(sys.modules, library.__name__, library)
    monkeypatch.setattr(sys.modules["cuda.bindings"], "runtime", library)
    return library


def test_the_first_gpu_is_computed_on_after_another_one(cards: Cards) -> None:
    """In one and the same thread, which would stay on the other."""
    places = cards.keep_places("cudaMalloc", "cudaFree", "cudaStreamDestroy")
    for ordinal in (1, 0):
        device = CudaDevice("tensorrt", ordinal)
        device.free(device.allocate(64, "a test"))
        device.close()
        calls = ("cudaFree", "cudaMalloc", "cudaFree", "cudaStreamDestroy")
        assert places == [(call, ordinal) for call in calls]
        places.clear()


def test_an_arena_lies_on_the_first_gpu_after_another_one(cards: Cards) -> None:
    places = cards.keep_places("cudaMalloc", "cudaMemset", "cudaFree")
    for ordinal in (1, 0):
        CudaArena(SHAPE, ordinal).close()
        assert {number for _, number in places} == {ordinal}
        assert [call for call, _ in places].count("cudaMalloc") == [call for call, _ in places].count("cudaFree") == 3
        places.clear()


def test_two_gpus_take_turns_in_one_thread(cuda: dict[str, Library], cards: Cards) -> None:
    places = cards.keep_places("cudaStreamSynchronize")
    launched: list[int] = []

    def launch(*_: Any) -> tuple[int]:
        launched.append(cards.current)
        return (0,)

    cuda["driver"].answers["cuLaunchKernel"] = launch
    for device in (first := CudaDevice("tensorrt"), CudaDevice("tensorrt", 1), first):
        device.launch("kernel", (1, 1, 1), 32, [])
        device.synchronize()
    assert [number for _, number in places] == launched == [0, 1, 0]


def test_every_call_goes_to_the_gpu_that_is_meant(cuda: dict[str, Library]) -> None:
    """CUDA keeps a GPU for each thread: whoever else computes here, or from whichever thread this is called."""
    device, library = CudaDevice("tensorrt", ordinal=2), cuda["runtime"]
    assert library.asked[:2] == [("cudaSetDevice", (2,)), ("cudaFree", (0,))]
    for call in (lambda: device.allocate(64, "a test"), device.synchronize):
        library.asked.clear()
        call()
        assert library.asked[0] == ("cudaSetDevice", (2,))
    library.answers = {"cudaSetDevice": (Status.cudaErrorNoDevice,)}
    with pytest.raises(EngineError, match="no NVIDIA GPU that CUDA can use"):
        device.synchronize()


@pytest.mark.parametrize("ordinal", [0, 1])
def test_giving_back_what_a_lost_gpu_held_raises_nothing(ordinal: int, cuda: dict[str, Library]) -> None:
    """It would hide the error that has everything given back."""
    cuda["runtime"].answers["cudaMallocHost"] = (Status.cudaSuccess, ctypes.addressof((ctypes.c_uint8 * 16)()))
    device, arena = CudaDevice("tensorrt", ordinal), CudaArena(SHAPE, ordinal)
    address, pinned = device.allocate(64, "a test"), device.pin(16)
    cuda["runtime"].answers = {"cudaSetDevice": (Status.cudaErrorIllegalAddress,)}
    device.free(address)
    device.unpin(pinned)
    device.drop("graph")
    device.close()
    arena.close()
    with pytest.raises(EngineError, match="cudaErrorIllegalAddress"):
        device.synchronize()
