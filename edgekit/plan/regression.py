"""Coefficients from measurements: the table of an engine (``engines.toml``) that tells best what profiles found.

Each number is fitted alone, by least squares of what it misses as a share of the whole profile: a plan is to be right
by per cents, of small models and large ones. A constant is thereby the mean of what was measured, a factor the slope
through the origin, each weighted by one over the profile's square.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from edgekit.engines.coefficients import Bytes, Coefficients, Factor
from edgekit.plan.components import width
from edgekit.plan.subject import Subject
from edgekit.plan.working import decoder_bytes, packing_bytes, rope_bytes, vision_bytes, written_out_bytes
from edgekit.recipe import Recipe
from edgekit.target import Target
from edgekit.units import MIB, format_bytes

Point: TypeAlias = tuple[float, float, float]
"""What a number is multiplied by, what was measured, and the whole that it is a part of; all in bytes or words."""


@dataclass(frozen=True, kw_only=True)
class ProfiledModel:
    """A profile, and the model, recipe and target (with its slots and context) that it is of.

    ``components`` are measured bytes by name, ``whole_bytes`` the peak; ``source`` says what, where and when.
    """

    subject: Subject
    recipe: Recipe
    target: Target
    components: Mapping[str, int]
    whole_bytes: int
    source: str


def regression(models: Sequence[ProfiledModel], shipped: Coefficients) -> Coefficients:
    """Return ``shipped`` with every number that the profiles tell (one at least) in place of its own; all of one
    engine."""
    sources = "; ".join(sorted({model.source for model in models}))
    by_name = _points(models, shipped)

    def constant(name: str, old: Bytes) -> Bytes:
        points = by_name[name]
        if not points:
            return old
        values = [measured for _, measured, _ in points]
        seen = f"{format_bytes(min(values))} to {format_bytes(max(values))}; {sources}"
        return Bytes(max(0, round(_slope(points))), "measured", seen)

    def factor(name: str, old: Factor) -> Factor:
        points = by_name[name]
        if not points:
            return old
        ratios = [measured / times for times, measured, _ in points]
        return Factor(round(_slope(points), 3), "measured", f"{min(ratios):.2f} to {max(ratios):.2f}; {sources}")

    return replace(
        shipped,
        process=constant("process", shipped.process),
        engine_host=constant("engine_host", shipped.engine_host),
        tokenizer_word=constant("tokenizer", shipped.tokenizer_word),
        vision_scratch=factor("vision_activations", shipped.vision_scratch),
        decoder_scratch=factor("decoder_activations", shipped.decoder_scratch),
    )


def _points(models: Sequence[ProfiledModel], shipped: Coefficients) -> dict[str, list[Point]]:
    """For each number, a point per profile that tells it."""
    names = ("process", "tokenizer", "engine_host", "vision_activations", "decoder_activations")
    points: dict[str, list[Point]] = {name: [] for name in names}
    for model in models:
        wide = width(model.target.activations)
        spec = model.subject.spec
        beside = packing_bytes(model.subject.tensors, model.recipe, model.target)
        beside += rope_bytes(spec.decoder, model.target.context, wide) + shipped.engine_device.size_bytes
        written = written_out_bytes(spec.decoder, model.subject.tensors, model.recipe, model.target)
        measured: dict[str, tuple[float, float]] = {
            "process": (1, model.components.get("process", 0)),
            "tokenizer": (spec.decoder.vocab, model.components.get("tokenizer", 0)),
            "engine_host": (1, model.components.get("engine", 0) - beside),
            "vision_activations": (
                vision_bytes(spec.vision, wide, shipped),
                model.components.get("vision_activations", 0),
            ),
            "decoder_activations": (
                decoder_bytes(spec.decoder, model.target, shipped),
                model.components.get("decoder_activations", 0),
            ),
        }
        if written:
            del measured["decoder_activations"]  # a part of it is as many weights as TensorRT happened to write out
        for name, (times, size) in measured.items():
            if size > 0:
                points[name].append((times, size, max(model.whole_bytes, MIB)))
    return points


def _slope(points: Sequence[Point]) -> float:
    """The number that misses least: minimum over f of the sum of ((f × times − measured) / whole)²."""
    above = sum(times * measured / whole**2 for times, measured, whole in points)
    return above / sum(times**2 / whole**2 for times, _, whole in points)


def table_text(tables: Mapping[str, Coefficients]) -> str:
    """Write tables as TOML, in the form of ``engines.toml``."""
    lines = ["# Fitted from profiles by `edgekit plan --fit`. It counts where it lies at /etc/edgekit/engines.toml."]
    for engine, table in tables.items():
        scores = str(table.whole_scores).lower()
        lines += ["", f"[{engine}]", f"chunk = {table.chunk}", f"whole_scores = {scores}"]
        for name, value in vars(table).items():
            if not isinstance(value, (Bytes, Factor)):
                continue
            number = f'size = "{value.size_bytes} B"' if isinstance(value, Bytes) else f"ratio = {value.ratio}"
            source = value.source.replace("\\", "\\\\").replace('"', '\\"')
            lines += ["", f"[{engine}.{name}]", number, f'basis = "{value.basis}"', f'source = "{source}"']
    return "\n".join(lines) + "\n"
