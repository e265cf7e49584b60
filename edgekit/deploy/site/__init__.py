"""The code of a release: EdgeKit with all that it needs, from wheels or from the environment that runs."""

from edgekit.deploy.site.code import Code
from edgekit.deploy.site.environment import Environment
from edgekit.deploy.site.wheels import Wheels

__all__ = ["Code", "Environment", "Wheels"]
