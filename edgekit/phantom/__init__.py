"""Synthetic chest radiographs with questions and right answers, and a small model that answers them.

Phantoms are drawn by this package from a seed: nothing of a patient is in them, and nothing that is said about them
is medical. They exist so that a machine without a network has a model whose answers can be right or wrong.
"""

from edgekit.phantom.draw import draw
from edgekit.phantom.questions import Question, ask
from edgekit.phantom.scene import Finding, Scene, scene
from edgekit.phantom.split import Asked, balanced

__all__ = ["Asked", "Finding", "Question", "Scene", "ask", "balanced", "draw", "scene"]
