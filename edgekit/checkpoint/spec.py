"""One description for every model of the LLaVA family: what the parts are, not where their weights lie.

A dialect reads a checkpoint's own config into a :class:`ModelSpec`; export, plan and runtime read
nothing else. All sizes are counts of elements. Everything here is frozen, and JSON can hold it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Activation = Literal["silu", "quick_gelu", "gelu_tanh", "gelu"]
Filter = Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"]  # by Pillow's numbers, 0…5


@dataclass(frozen=True, kw_only=True)
class VisionSpec:
    """A vision tower is a ViT, cut after the layer whose output the projector reads.

    * ``kind``: whose ViT it is
    * ``hidden``: the width of a row; ``layers``: those that are kept
    * ``heads`` of attention; ``ff``: the width inside the MLP, whose ``activation`` is named
    * ``image_size``, ``patch``: the sides of the picture and of a patch, in pixels
    * ``norm_eps``: of every layer norm
    * ``drop_cls``: whether the first row is left out of the output. That is CLIP's class token; SigLIP has none, and
      some models (TinyLLaVA Factory's) were trained without its first patch
    * ``post_norm``: whether the final layer norm applies to the output
    """

    kind: Literal["clip", "siglip"]
    hidden: int
    layers: int
    heads: int
    ff: int
    image_size: int
    patch: int
    activation: Activation
    norm_eps: float
    drop_cls: bool
    post_norm: bool = False

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads

    @property
    def patches(self) -> int:
        return (self.image_size // self.patch) ** 2

    @property
    def has_cls(self) -> bool:
        return self.kind == "clip"

    @property
    def tokens(self) -> int:
        """Rows that the tower hands to the projector, per image."""
        return self.patches + self.has_cls - self.drop_cls


@dataclass(frozen=True)
class ProjectorSpec:
    """A projector is linear layers with ``activation`` between them: ``widths`` = (in, hidden…, out)."""

    widths: tuple[int, ...]
    activation: Activation = "gelu"
    bias: bool = True


@dataclass(frozen=True, kw_only=True)
class RopeSpec:
    """A rotary embedding turns the first ``dim`` elements of a head, in the rotate-half form.

    * ``theta``: the base of the frequencies
    * ``dim``: elements of a head that are turned
    * ``scaling``: "linear" divides positions by ``factor``; "llama3" is the piecewise rule of Llama 3.1
    * ``factor``: what positions, or low frequencies, are divided by
    * ``low_freq_factor``, ``high_freq_factor``: of "llama3": what turns less often than the one within the context of
      pre-training is divided, what turns more often than the other is not
    * ``original_context``: that context, in tokens
    """

    theta: float
    dim: int
    scaling: Literal["none", "linear", "llama3"] = "none"
    factor: float = 1.0
    low_freq_factor: float = 1.0
    high_freq_factor: float = 4.0
    original_context: int = 8192


@dataclass(frozen=True, kw_only=True)
class DecoderSpec:
    """A decoder is a decoder-only transformer.

    * ``kind``: the architecture that its tensors are named by
    * ``hidden``: the width of a row; ``layers``: how many there are
    * ``heads``, ``kv_heads``: of queries, and of the keys and values that several of them share; ``head_dim``: the
      width of each
    * ``ff``: the width inside the MLP
    * ``vocab``: rows of the embedding, and logits
    * ``context``: the most tokens that the model was made for
    * ``norm``: RMSNorm or LayerNorm (with bias), and its ``norm_eps``
    * ``activation``, ``gated``: the MLP is act(gate)·up → down where it is gated, else act(up) → down
    * ``rope``: the rotary embedding of queries and keys
    * ``parallel``: whether attention and MLP read one norm and add up into the residual (Phi-2)
    * ``qkv_bias``, ``out_bias``, ``mlp_bias``, ``head_bias``: which Linears have a bias
    * ``tied``: whether the head reads the embedding's weights
    """

    kind: Literal["llama", "mistral", "phi"]
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ff: int
    vocab: int
    context: int
    norm: Literal["rms", "layer"]
    norm_eps: float
    activation: Activation
    gated: bool
    rope: RopeSpec
    parallel: bool = False
    qkv_bias: bool = False
    out_bias: bool = False
    mlp_bias: bool = False
    head_bias: bool = False
    tied: bool = False


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """Pixels are prepared so: ``fit``, then the middle ``size``², then (pixel·``scale`` − mean)/std per channel.

    * ``size``: the side of the picture that the tower reads, in pixels
    * ``mean``, ``std``: of each channel, red, green and blue
    * ``fit``: "pad" grows the image to a square filled with ``fill``, then resizes it; "crop" resizes its shorter edge;
      "stretch" resizes both edges
    * ``scale``: what makes a sample of 0…255 a number
    * ``filter``: Pillow's, by which all resize
    * ``resized``: the pixels to resize to (None: ``size``, so that of a square nothing is cut off)
    * ``fill``: red, green and blue of the padding (None: ``int(255·mean)``)
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Literal["pad", "crop", "stretch"]
    scale: float = 1 / 255
    filter: Filter = "bicubic"
    resized: int | None = None
    fill: tuple[int, int, int] | None = None

    @property
    def edge(self) -> int:
        """The pixels that the resized edge has."""
        return self.resized or self.size


@dataclass(frozen=True, kw_only=True)
class TemplateSpec:
    """A template says how a conversation is written down; :mod:`edgekit.checkpoint.chat.write` does it.

    The text is ``system``, then for each turn ``user.format(question)``, ``opening`` and ``reply.format(answer)``;
    where the answer is still to come, it ends with ``opening``.

    * ``image``: what an image is written as before the question ("<image>\\n"); ``<image>`` itself is replaced by the
      image's embeddings, with ``image_before`` and ``image_after`` around it
    * ``stop``: strings that end a reply, as the spec's ``stop_ids`` do
    * ``pictured``: ``pictured.format(images, question)`` takes the place of ``user`` in turns with images, where a chat
      template goes other ways
    * ``past``: ``past.format(answer)`` takes that of ``opening`` and ``reply`` in turns with an answer
    * ``trim``: what loses the blanks around it: a question, a question with its images ("turn"), an answer, a system
      text
    * ``reserved``: words that people's text does not hold, since the template would take them for its own
    * ``system_turn``: ``system_turn.format(text)`` takes the place of ``system`` for a caller's own system text
    * ``system_inside``: or that goes inside the first turn, before its images, as ``system_inside.format(text)``
    * ``system_reserved``: words that are reserved, too, where a caller's system text stands
    * ``system_refused``: why a template has neither; all three are empty in bundles from before this was looked at
    """

    name: str
    system: str
    user: str
    opening: str
    reply: str
    image: str = "<image>\n"
    image_before: str = ""
    image_after: str = ""
    stop: tuple[str, ...] = ()
    pictured: str = ""
    past: str = ""
    trim: tuple[Literal["question", "turn", "answer", "system"], ...] = ()
    reserved: tuple[str, ...] = ()
    system_turn: str = ""
    system_inside: str = ""
    system_reserved: tuple[str, ...] = ()
    system_refused: str = ""

    @property
    def takes_system(self) -> bool:
        """Whether it has a place for a caller's own system text."""
        return bool(self.system_turn or self.system_inside)


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A whole vision-language model is three parts, how it is fed, and what it may be used for.

    * ``family``: whose layout its checkpoint has ("llava-hf")
    * ``vision``, ``projector``, ``decoder``: its parts
    * ``image``, ``template``: how pictures and conversations are prepared for it
    * ``bos_id``: the token that a prompt starts with, None where none is
    * ``stop_ids``: the tokens that end a reply
    * ``licence``, ``intended_use``: what its makers say of them; "" where they say nothing
    * ``notes``: what reading it decided that people should know, a sentence each
    """

    family: str
    vision: VisionSpec
    projector: ProjectorSpec
    decoder: DecoderSpec
    image: ImageSpec
    template: TemplateSpec
    bos_id: int | None
    stop_ids: tuple[int, ...]
    licence: str = ""
    intended_use: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def tokens_per_image(self) -> int:
        return self.vision.tokens
