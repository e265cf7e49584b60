"""What an engine needs of an NVIDIA GPU: memory, copies, one stream, one kernel, and the KV arena that lies there.

It goes through cuda-python's bindings, of CUDA 12 and 13. NVIDIA's cuda-core (1.2) serves both, too, but copies and
clears flat runs of bytes alone: an arena's lines of a pitch would need the bindings beside it.
"""
