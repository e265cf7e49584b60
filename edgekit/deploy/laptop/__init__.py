"""An installation of one user's own: a service of the user's systemd, without root, for this machine alone."""
