"""TLS for a device that no public authority knows: its own authority, and short certificates that renew themselves.

:mod:`~edgekit.serve.tls.make` is `edgekit tls make`, :mod:`~edgekit.serve.tls.certificates` what a service shows, and
:mod:`~edgekit.serve.tls.given` looks at a certificate that the site brings along. Needs the extra ``serve``, and says
so when it is imported.
"""

from edgekit.errors import MissingExtra

try:
    import cryptography  # noqa: F401
except ImportError as missing:
    raise MissingExtra("TLS", "serve") from missing
