"""Graphs compiled for NVIDIA GPUs by TensorRT, JetPack's and pip's, or by TensorRT-RTX: one API from two modules.

A graph becomes a *plan*: kernels chosen and weights laid out for one kind of GPU and one version of TensorRT.
:func:`~edgekit.engines.tensorrt.build.plan.build_plan` is how. TensorRT builds on the device that is to run the plan;
TensorRT-RTX builds for a GeForce or RTX card where there is no GPU at all.
"""
