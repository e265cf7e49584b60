"""The models whose memory was published, with their shapes and those figures.

Figures: El Mir, Luoga et al. on medical multimodal models for low-resource environments; its "GB" are GiB. Static is
parameters and buffers after loading, dynamic the peak of the allocator over each question, averaged. The 8-bit ones are
arithmetic from its tables. Shapes: the models' own config files.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.checkpoint.spec import (
    DecoderSpec,
    ImageSpec,
    ModelSpec,
    ProjectorSpec,
    RopeSpec,
    TemplateSpec,
    VisionSpec,
)
from edgekit.plan.subject import Subject, count_tensors
from edgekit.units import GIB


@dataclass(frozen=True)
class Published:
    """Bytes of one variant; None where nothing was published. ``arithmetic``: not given, but follows from what is."""

    static_bytes: int | None = None
    dynamic_bytes: int | None = None
    arithmetic: bool = False


@dataclass(frozen=True)
class PublishedModel:
    """``word`` is in the names of its checkpoints. ``variants`` by recipe: fp16, q8, q4."""

    title: str
    word: str
    subject: Subject
    variants: dict[str, Published]


def _subject(name: str, vision: VisionSpec, decoder: DecoderSpec, mean: float) -> Subject:
    spec = ModelSpec(
        family=name,
        vision=vision,
        projector=ProjectorSpec((vision.hidden, decoder.hidden, decoder.hidden)),
        decoder=decoder,
        image=ImageSpec(size=vision.image_size, mean=(mean, mean, mean), std=(0.5, 0.5, 0.5), fit="pad"),
        template=TemplateSpec(name="plain", system="", user="{}", opening="", reply="{}"),
        bos_id=1,
        stop_ids=(2,),
    )
    return Subject(
        name=name,
        spec=spec,
        tensors=count_tensors(tensor_shapes(spec), spec.decoder.tied),
        by_recipe=True,
        by_context=True,
        stored_bytes=2,
        checkpoint_bytes=0,
        tokenizer_bytes=2 << 20,
    )


def _decoder(
    kind: str, hidden: int, layers: int, kv_heads: int, head_dim: int, ff: int, context: int, theta: float
) -> DecoderSpec:
    assert kind in ("llama", "mistral")
    return DecoderSpec(
        kind="mistral" if kind == "mistral" else "llama",
        hidden=hidden,
        layers=layers,
        heads=32,
        kv_heads=kv_heads,
        head_dim=head_dim,
        ff=ff,
        vocab=32000,
        context=context,
        norm="rms",
        norm_eps=1e-5,
        activation="silu",
        gated=True,
        rope=RopeSpec(theta=theta, dim=head_dim),
    )


LLAVA_MED = PublishedModel(
    "LLaVA-Med",
    "llava-med",
    _subject(
        "llava-med-v1.5-mistral-7b",
        VisionSpec(
            kind="clip",
            hidden=1024,
            layers=23,
            heads=16,
            ff=4096,
            image_size=336,
            patch=14,
            activation="quick_gelu",
            norm_eps=1e-5,
            drop_cls=True,
        ),
        _decoder("mistral", 4096, 32, 8, 128, 14336, 32768, 1e6),
        0.45,
    ),
    {
        "fp16": Published(15_669_322_248, round(14.86 * GIB)),
        "q8": Published(8_669_028_872, arithmetic=True),
        "q4": Published(5_168_882_184, round(5.18 * GIB)),
    },
)
TINYLLAVA = PublishedModel(
    "TinyLLaVA",
    "tinyllava",
    _subject(
        "TinyLLaVA-1.5B",
        VisionSpec(
            kind="siglip",
            hidden=1152,
            layers=26,
            heads=16,
            ff=4304,
            image_size=384,
            patch=14,
            activation="gelu_tanh",
            norm_eps=1e-6,
            drop_cls=False,
        ),
        _decoder("llama", 2048, 22, 4, 64, 5632, 2048, 1e4),
        0.5,
    ),
    {
        "fp16": Published(),
        "q8": Published(2_044_812_808, arithmetic=True),
        "q4": Published(1_557_093_896, round(1.68 * GIB)),
    },
)
MODELS = (LLAVA_MED, TINYLLAVA)
