"""EdgeKit: from a medical vision-language checkpoint to a verified service on a small device."""

import os

__version__ = "0.1.0"
RELEASE_DATE = "2026-11-30"
"""A day that is past wherever this runs, so that a clock that says less is known to be wrong."""

# ONNX Runtime's wheels report the machine to their maker from the moment they are imported; later is too late.
# What runs beside patients talks to nobody.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
