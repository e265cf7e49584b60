"""The whole way on this machine with the embedded model: to a bundle, to answers (:mod:`~edgekit.demo.steps`), and to
its page in a browser (:mod:`~edgekit.demo.page`)."""

from edgekit.demo.steps import SEED, STEPS, DemoBundle, DemoScores, Planned, Shown, Step, demo, document

__all__ = ["SEED", "STEPS", "DemoBundle", "DemoScores", "Planned", "Shown", "Step", "demo", "document"]
