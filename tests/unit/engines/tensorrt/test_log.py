"""What is read off TensorRT's log."""

from __future__ import annotations

from edgekit.engines.tensorrt.log import Log, fused_attention


def test_layers_are_read_in_both_words() -> None:
    log = Log()
    log.add(4, "Layers:\nName: a [profile 1]_myl1_0, LayerType: gemm, Inputs: [ { Name: x, Dimensions: [1] }]\n\nI/O:")
    log.add(
        4, "Engine Layer Information:\nLayer(Myelin): {ForeignNode[a...b]}, Tactic: 0x0, x (Half[1]) -> y (Half[1])"
    )
    log.add(4, "Layer: {ForeignNode[a]} Host Persistent: 80 bytes")
    assert log.layers == ["gemm a [profile 1]_myl1_0", "Myelin {ForeignNode[a...b]}"]


def test_fused_attention_is_counted_by_profile_where_that_can_be_told() -> None:
    layers = ["kgen _gemm_mha_v2_myl0_13", "kgen _gemm_mha_v2_myl0_25", "gemm alpha_myl1_1", "kgen __myl_fmha_myl1_2"]
    assert fused_attention(layers, 2) == (2, 1)
    assert fused_attention(layers, 1) == (3,)
    assert fused_attention(["gemm alpha_myl0_1"], 1) == (0,)
    assert fused_attention(["Myelin {ForeignNode[a...b]}"], 1) == ()  # what is in it, isn't told


def test_errors_are_kept_without_their_place_and_warnings_stand_in() -> None:
    log = Log()
    assert log.last == ""
    log.add(2, "a warning")
    assert log.last == "a warning"
    log.add(1, "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (no)")
    assert (log.last, log.out_of_memory) == ("Cuda Runtime (no)", False)
    log.add(1, "IBuilder: OutOfMemory (Requested size was 1024 bytes.)")
    assert (log.out_of_memory, log.requested_bytes) == (True, 1024)
