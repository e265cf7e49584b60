"""A bundle: graphs, tokenizer, embedding and a manifest that hashes every file; the only thing that travels."""

from edgekit.bundle.bundle import PROFILES, Bundle, open_bundle, sealed_files, sealing, unsealed, verify
from edgekit.bundle.manifest import FORMAT, MANIFEST, Manifest

__all__ = [
    "FORMAT",
    "MANIFEST",
    "PROFILES",
    "Bundle",
    "Manifest",
    "open_bundle",
    "sealed_files",
    "sealing",
    "unsealed",
    "verify",
]
