"""The HTTP service: one engine, many callers."""
