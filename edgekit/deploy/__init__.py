"""From a bundle to a service of this machine: releases, the unit that runs one, and the steps from one to the next."""
