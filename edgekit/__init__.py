"""EdgeKit: from a medical vision-language checkpoint to a verified service on a small device."""

__version__ = "0.1.0"
