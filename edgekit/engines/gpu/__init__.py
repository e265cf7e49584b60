"""What an engine needs of an NVIDIA GPU: memory, copies, one stream, one kernel, and the KV arena that lies there."""
