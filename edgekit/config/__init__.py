"""What is written down: TOML and JSON read as frozen dataclasses, records that are sealed, and where settings lie.

:mod:`~edgekit.config.shipped` finds the targets and recipes that come with EdgeKit, :mod:`~edgekit.config.site` what a
site lays over them. :mod:`~edgekit.config.seal` says whether a record is whole, :mod:`~edgekit.config.writing` writes
one.
"""

from edgekit.config.readers import did_you_mean
from edgekit.config.reading import dump, load, load_json, load_toml, require_format

__all__ = ["did_you_mean", "dump", "load", "load_json", "load_toml", "require_format"]
