"""Graphs whose packed weights ONNX Runtime maps from the disk instead of keeping a repacked copy in memory.

ONNX Runtime (from 1.28 on; 1.23 for some operators) can store the packed form of a weight beside the original: the
initializer's ``external_data`` gets an entry ``prepacked_0 = KEY|offset;length;0[|offset;length;0...]`` in the same
file, with ``KEY = <operator>+<hash of the packed buffers>``. On loading, every kernel still packs the original, one
weight at a time, into memory that is freed at once; it hashes the result and takes the mapped blob filed under that
hash. The names of nodes and initializers play no part.

Up to 1.31 the blob is not compared with what was packed. There each weight is stored once: the *original* is
declared to be the leading bytes of its own packed blob, and KEY is what packing those bytes gives. Loading then
reads nothing but what decoding reads anyway. Scales and biases stay real, since packing may read them. From 1.32 on
the blob is compared, so both forms are stored; the memory that this saves is the same. Which of the two a runtime
wants is tried out, not looked up.

A form with weights stored once is right only where the same kernels pack in the same way: elsewhere the hash is not
found, and ONNX Runtime silently packs packed bytes. Therefore each compiled form has a probe
(:mod:`edgekit.engines.onnxruntime.probe`), which is run before every use. It must be loaded without graph
optimization, so it is written in its final form.

Weights pass through one at a time, so that memory stays at a few times the largest weight of a model of any size.
"""
