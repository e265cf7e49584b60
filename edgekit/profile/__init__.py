"""What a bundle takes on this machine, measured in a process of its own: memory, load time, speed."""

from edgekit.profile.profile import Profile, profile

__all__ = ["Profile", "profile"]
