"""Whether a model description makes sense: everything after it divides, indexes and allocates by its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from string import Formatter

from edgekit.checkpoint.spec import DecoderSpec, ImageSpec, ModelSpec, TemplateSpec, VisionSpec
from edgekit.errors import CheckpointError

_LARGEST = 2**31 - 1
_WIDEST = 1e6  # pixels run from 0 to 255 at most
_LARGEST_IMAGE = 4096
_MOST_LAYERS = 1024  # More than any model has; what is listed per layer stays short.


def check_spec(spec: ModelSpec, origin: str) -> None:
    """Raise a :class:`CheckpointError` that names the first thing wrong with ``spec``,
    which was read from ``origin``.
    """
    for problem in _problems(spec):
        raise CheckpointError(
            f"{origin} describes an impossible model: {problem}",
            "The file is damaged, or was edited: compare it with the original.",
        )


def _problems(spec: ModelSpec) -> Iterator[str]:
    yield from _vision(spec.vision)
    yield from _decoder(spec.decoder)
    widths, ends = spec.projector.widths, (spec.vision.hidden, spec.decoder.hidden)
    if len(widths) < 2 or len(widths) > 10 or (widths[0], widths[-1]) != ends or not all(map(_fits, widths)):
        yield f"a projector of widths {list(widths[:10])} between a tower of {ends[0]} and a decoder of {ends[1]}"
    yield from _image(spec.image, spec.vision.image_size)
    yield from _template(spec.template)
    ids = [*spec.stop_ids, *([] if spec.bos_id is None else [spec.bos_id])]
    if not all(0 <= index < spec.decoder.vocab for index in ids):
        yield f"special tokens {ids[:8]} in a vocabulary of {spec.decoder.vocab}"


def _fits(count: int) -> bool:
    return 1 <= count <= _LARGEST


def _image(image: ImageSpec, size: int) -> Iterator[str]:
    if image.size != size:
        yield f"images of {image.size} pixels for a tower that reads {size}"
    if not all(0 < std < _WIDEST for std in image.std) or not all(abs(mean) < _WIDEST for mean in image.mean):
        yield f"pixels less {image.mean}, divided by {image.std}"
    if not 0 < image.scale < _WIDEST:
        yield f"pixels times {image.scale}"
    if not image.size <= image.edge <= _LARGEST_IMAGE:
        yield f"images resized to {image.edge} pixels, of which {image.size} are kept"
    if not all(0 <= shade <= 255 for shade in image.fill or ()):
        yield f"padding of the colour {image.fill}"


def _vision(vision: VisionSpec) -> Iterator[str]:
    for name in ("hidden", "layers", "heads", "ff", "image_size", "patch"):
        if not _fits(getattr(vision, name)):
            yield f"a vision tower with {name} {getattr(vision, name)}"
    if vision.layers > _MOST_LAYERS:
        yield f"a vision tower of {vision.layers} layers"
    if vision.image_size > _LARGEST_IMAGE:
        yield f"images of {vision.image_size} pixels"
    if vision.hidden % vision.heads:
        yield f"a vision tower {vision.hidden} wide with {vision.heads} heads"
    if vision.tokens < 1:
        yield f"an image of {vision.image_size} pixels in patches of {vision.patch}"
    if not vision.norm_eps > 0:
        yield f"a norm with epsilon {vision.norm_eps}"


def _decoder(decoder: DecoderSpec) -> Iterator[str]:
    for name in ("hidden", "layers", "heads", "kv_heads", "head_dim", "ff", "vocab", "context"):
        if not _fits(getattr(decoder, name)):
            yield f"a decoder with {name} {getattr(decoder, name)}"
    if decoder.layers > _MOST_LAYERS:
        yield f"a decoder of {decoder.layers} layers"
    if decoder.heads % decoder.kv_heads:
        yield f"{decoder.heads} heads in {decoder.kv_heads} groups"
    rope = decoder.rope
    if rope.dim % 2 or not 2 <= rope.dim <= decoder.head_dim:
        yield f"a rotary embedding of {rope.dim} elements in heads of {decoder.head_dim}"
    numbers = (rope.theta, rope.factor, rope.low_freq_factor, rope.high_freq_factor, rope.original_context)
    if not all(number > 0 for number in (*numbers, decoder.norm_eps)):
        yield "a number that is not above zero in its norm or its rotary embedding"


def _template(template: TemplateSpec) -> Iterator[str]:
    words = (template.system, template.user, template.opening, template.reply, template.pictured, template.past)
    others = (template.image_before, template.image_after, *template.reserved)
    others += (template.system_turn, template.system_inside, *template.system_reserved, template.system_refused)
    places = [(template.user, 1), (template.reply, 1)]
    places += [(text, count) for text, count in ((template.pictured, 2), (template.past, 1)) if text]
    places += [(text, 1) for text in (template.system_turn, template.system_inside) if text]
    if not all(_has_places(text, count) for text, count in places) or template.image.count("<image>") != 1:
        yield f"the template {template.name!r} has no place for the question, the answer or the image"
    if any("<image>" in text for text in (*words, *others)):
        yield f"the template {template.name!r} has an image where there is none"
    if not all(map(_is_text, (*words, *others, template.image, *template.stop))):
        yield f"the template {template.name!r} has words that are no text"
    if not all(template.stop) or not all(word.strip() for word in template.reserved):
        yield f"the template {template.name!r} stops at nothing, or reserves it"


def _is_text(text: str) -> bool:
    """Whether ``text`` can be written down: JSON can hold half surrogates, UTF-8 can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _has_places(text: str, count: int) -> bool:
    """Whether ``text.format(…)`` puts ``count`` texts in, one after the other, as they are: "{:9999999}" would pad."""
    try:
        fields = [field for _, *field in Formatter().parse(text) if field[0] is not None]
    except ValueError:
        return False
    return fields == [["", "", None]] * count
