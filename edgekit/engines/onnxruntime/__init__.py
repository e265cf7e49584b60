"""ONNX Runtime, on a CPU or an NVIDIA GPU; on a CPU also what stands in for the device that a bundle is for."""
