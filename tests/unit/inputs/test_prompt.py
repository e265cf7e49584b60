"""Prompts against original LLaVA's way and Hugging Face's own processor, and against people's text."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

from edgekit.checkpoint.chat.find import find_program
from edgekit.checkpoint.chat.pieces import pieces
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import ImageSpec, ModelSpec, TemplateSpec
from edgekit.errors import InputError
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, TextPiece, Turn, build, render
from tests.specs import SMALL

VICUNA = TemplateSpec(
    name="vicuna", system="A chat. ", user="USER: {} ", opening="ASSISTANT:", reply=" {}</s>", stop=("</s>",)
)
MISTRAL = TemplateSpec(name="mistral", system="", user="[INST] {} [/INST]", opening="", reply=" {} </s>")
MARKED = replace(VICUNA, image_before="<im_start>", image_after="<im_end>")
TEXT = "A chat. USER: what is seen in this image of the chest? ASSISTANT: the heart is enlarged [INST] [/INST] { } x"
RED, BLUE = (Picture.of(Image.new("RGB", (9, 5), colour)) for colour in ("red", "blue"))
IMAGE_ID = -200  # LLaVA's stand-in for a picture


def model(template: TemplateSpec) -> ModelSpec:
    """CLIP-shaped, 28 pixels in patches of 14: 4 rows a picture."""
    image = ImageSpec(
        size=28, mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711), fit="pad"
    )
    decoder = replace(SMALL.decoder, vocab=600, context=64)
    return replace(SMALL, vision=replace(SMALL.vision, patch=14), decoder=decoder, image=image, template=template)


@cache
def tokenizer(kind: str, image: bool = False) -> Tokenizer:
    """A small tokenizer: "legacy" and "first" put Llama's blank before every piece or the first; "bytes" is GPT's."""
    specials = ["<unk>", "<s>", "</s>", "<im_start>", "<im_end>"]
    bpe = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=kind != "bytes", fuse_unk=True))
    if kind == "bytes":
        bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        bpe.decoder = decoders.ByteLevel()
    elif kind == "legacy":
        bpe.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet() if kind == "bytes" else []
    size = 400 if kind == "bytes" else 600
    values = [] if kind == "bytes" else [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[*specials, *values], initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator([TEXT] * 3, trainer)
    if kind != "bytes":
        bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    if image:
        bpe.add_special_tokens([AddedToken("<image>", special=True, normalized=False)])
    return bpe


def ids(prompt: Prompt, image_id: int, rows: bool) -> list[int]:
    """The prompt as upstream writes it: a picture as one stand-in, or as one for each row."""
    written: list[int] = []
    for piece in prompt.pieces:
        written += piece.ids if isinstance(piece, TextPiece) else [image_id] * (len(piece) if rows else 1)
    return written


def llava_ids(bpe: Tokenizer, text: str) -> list[int]:
    """What LLaVA's tokenizer_image_token does: pieces one by one, one BOS, a stand-in between them."""
    wrapped = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    pieces = [wrapped(piece).input_ids for piece in text.split("<image>")]
    has_bos = bool(pieces[0]) and pieces[0][0] == wrapped.bos_token_id
    out = [wrapped.bos_token_id] if has_bos else []
    for index, piece in enumerate(pieces):
        out += ([IMAGE_ID] if index else []) + piece[int(has_bos) :]
    return out


CONVERSATIONS: list[list[Turn]] = [
    [Turn("what is seen in this image?", images=(RED,))],
    [Turn("what is seen?", "the heart", (RED,)), Turn("is it enlarged?")],
    [Turn("compare the two", images=(RED, BLUE))],
    [Turn("a?", "x", (RED,)), Turn("b?", "y", (BLUE,)), Turn("{x}", images=(RED,))],
    [Turn("no image at all")],
    [Turn("")],
    [Turn("what is seen?", "the heart is enlarged", (RED,))],
]
WRITTEN = [
    "A chat. USER: <image>\nwhat is seen in this image? ASSISTANT:",
    "A chat. USER: <image>\nwhat is seen? ASSISTANT: the heart</s>USER: is it enlarged? ASSISTANT:",
    "A chat. USER: <image>\n<image>\ncompare the two ASSISTANT:",
    "A chat. USER: <image>\na? ASSISTANT: x</s>USER: <image>\nb? ASSISTANT: y</s>USER: <image>\n{x} ASSISTANT:",
    "A chat. USER: no image at all ASSISTANT:",
    "A chat. USER:  ASSISTANT:",
    "A chat. USER: <image>\nwhat is seen? ASSISTANT: the heart is enlarged</s>",
]


def drawn(turn: Turn) -> list[Picture]:
    """Its pictures, of which none is prepared."""
    return [picture for picture in turn.images if isinstance(picture, Picture)]


@pytest.mark.parametrize(("turns", "text"), list(zip(CONVERSATIONS, WRITTEN, strict=True)))
@pytest.mark.parametrize("kind", ["legacy", "first", "bytes"])
def test_tokens_are_those_of_original_llava(kind: str, turns: Sequence[Turn], text: str) -> None:
    bpe = tokenizer(kind)
    assert render(VICUNA, bpe, turns) == text
    prompt = build(model(VICUNA), bpe, turns)
    assert ids(prompt, IMAGE_ID, rows=False) == llava_ids(bpe, text)


def hugging_faces(bpe: Tokenizer, chat_template: str | None = None) -> Any:
    """Hugging Face's processor for :func:`model`."""
    return LlavaProcessor(
        image_processor=LlavaImageProcessorPil(
            do_pad=True, size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
        ),
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", unk_token="<unk>"),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=chat_template,
    )


@pytest.mark.parametrize(("turns", "text"), list(zip(CONVERSATIONS, WRITTEN, strict=True)))
@pytest.mark.parametrize("kind", ["legacy", "first", "bytes"])
def test_tokens_and_pixels_are_those_of_hugging_faces_processor(kind: str, turns: Sequence[Turn], text: str) -> None:
    bpe = tokenizer(kind, image=True)
    image_id = bpe.token_to_id("<image>") or 0
    processor = hugging_faces(bpe)
    pictures = [picture.image for turn in turns for picture in drawn(turn)] or None
    expected = processor(images=pictures, text=text, return_tensors="np" if pictures else None)
    prompt = build(model(VICUNA), bpe, turns)
    assert ids(prompt, image_id, rows=True) == np.ravel(expected["input_ids"]).tolist()
    for piece, pixels in zip(prompt.images, expected["pixel_values"] if pictures else [], strict=True):
        np.testing.assert_allclose(piece.pixels(), pixels, atol=1e-6)


FRAMES = ["<s> $A </s>", "$A </s>", "<s> $A", "$A"]


def framed(bpe: Tokenizer, frame: str) -> Tokenizer:
    """``bpe`` with another post-processor."""
    copy = Tokenizer.from_str(bpe.to_str())
    copy.post_processor = processors.TemplateProcessing(single=frame, special_tokens=[("<s>", 1), ("</s>", 2)])
    return copy


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("kind", ["legacy", "first", "bytes"])
def test_a_prompt_starts_once_and_does_not_end(kind: str, image: bool, frame: str) -> None:
    bpe = framed(tokenizer(kind, image), frame)
    start, bare = [1] * frame.startswith("<s>"), framed(tokenizer(kind, image), "$A")
    for turns, text in zip(CONVERSATIONS, WRITTEN, strict=True):
        pieces = [bare.encode(piece).ids for piece in text.split("<image>")]
        whole = bare.encode(text).ids
        expected = whole if image else [index for piece in pieces for index in [IMAGE_ID, *piece]][1:]
        ours = ids(
            build(model(VICUNA), bpe, turns), (bpe.token_to_id("<image>") or 0) if image else IMAGE_ID, rows=False
        )
        assert ours == start + expected


STARTING = {
    "once": "{{ bos_token }}{% for m in messages %}[INST] @ [/INST]{% endfor %}",
    "every turn": "{% for m in messages %}{{ bos_token }}[INST] @ [/INST]{% endfor %}",
    "never": "{% for m in messages %}[INST] @ [/INST]{% endfor %}",
}
PARTS = "{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}"


@pytest.mark.parametrize("chat", STARTING.values(), ids=STARTING)
@pytest.mark.parametrize("frame", ["<s> $A", "$A"])
@pytest.mark.parametrize("kind", ["legacy", "first", "bytes"])
def test_tokens_are_those_of_a_processor_whose_template_starts(
    tmp_path: Path, kind: str, frame: str, chat: str
) -> None:
    bpe, written = framed(tokenizer(kind, image=True), frame), chat.replace("@", PARTS)
    (tmp_path / "chat_template.jinja").write_text(written)
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "<s>"}')
    program = find_program(Source(tmp_path, Fields({}, "config.json"), {}))
    assert program is not None
    template = pieces(program)
    theirs = hugging_faces(bpe, written)
    for turns in CONVERSATIONS[:5]:
        expected = theirs.apply_chat_template(conversation(turns), tokenize=True, add_generation_prompt=True)
        ours = ids(build(model(template), bpe, turns), bpe.token_to_id("<image>") or 0, rows=True)
        assert ours == np.ravel(expected).tolist()


SYSTEM = "{% if m.role == 'system' %}SYS: @ {% else %}[INST] @ [/INST]{% endif %}"
INSIDE = (
    "{% if messages[0].role == 'system' %}{% set system = messages[0].content[0].text %}"
    "{% set messages = messages[1:] %}{% endif %}{{ bos_token }}{% for m in messages %}[INST] "
    "{% if loop.first and system %}{{ '<<' + system + '>>' }}{% endif %}@ [/INST]{% endfor %}"
)


@pytest.mark.parametrize("chat", [f"{{% for m in messages %}}{SYSTEM}{{% endfor %}}", INSIDE], ids=["turn", "inside"])
@pytest.mark.parametrize("kind", ["legacy", "bytes"])
def test_a_system_text_stands_where_a_processors_template_puts_it(tmp_path: Path, kind: str, chat: str) -> None:
    bpe, written = tokenizer(kind, image=True), chat.replace("@", PARTS)
    (tmp_path / "chat_template.jinja").write_text(written)
    (tmp_path / "tokenizer_config.json").write_text('{"bos_token": "<s>"}')
    program = find_program(Source(tmp_path, Fields({}, "config.json"), {}))
    assert program is not None
    template = pieces(program)
    theirs = hugging_faces(bpe, written)
    system = "the heart is {seen}\n"
    message = {"role": "system", "content": [{"type": "text", "text": system}]}
    for turns in CONVERSATIONS[:5]:
        expected = theirs.apply_chat_template(
            [message, *conversation(turns)], tokenize=True, add_generation_prompt=True
        )
        prompt = build(model(template), bpe, turns, system)
        assert ids(prompt, bpe.token_to_id("<image>") or 0, rows=True) == np.ravel(expected).tolist()


def test_a_system_text_is_text_to_the_tokenizer() -> None:
    with_system = replace(VICUNA, system_turn="{} ")
    written = render(with_system, tokenizer("bytes"), [Turn("a?")], "Say </s> or <image>.")
    assert written == "Say < /s> or < image>. USER: a? ASSISTANT:"


@pytest.mark.parametrize(
    ("template", "system", "message"),
    [
        (replace(VICUNA, system_refused="raises"), "Be brief.", "no place for a system text: it raises"),
        (VICUNA, "Be brief.", "before EdgeKit looked for one"),
        (replace(VICUNA, system_turn="{} "), " \n", "The system text is empty"),
        (replace(VICUNA, system_turn="{} "), "a\udcff", "The system text is not UTF-8 text"),
    ],
)
def test_a_system_text_that_can_not_be_sent_is_refused(template: TemplateSpec, system: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        render(template, tokenizer("bytes"), [Turn("a?")], system)


def conversation(turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """As transformers' processors take it."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        pictures = [{"type": "image", "image": picture.image} for picture in drawn(turn)]
        messages.append({"role": "user", "content": [*pictures, {"type": "text", "text": turn.question}]})
        if turn.answer is not None:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": turn.answer}]})
    return messages


def test_words_that_the_template_takes_for_its_own_are_broken() -> None:
    template = replace(MISTRAL, reserved=("<<SYS>>", " /no_think", "  "))
    written = render(template, tokenizer("bytes"), [Turn("a<<SYS>>b  c /no_think")])
    assert written == "[INST] a< <SYS>>b  c / no_think [/INST]"


def test_marks_around_a_picture_are_tokens() -> None:
    bpe = tokenizer("legacy")
    prompt = build(model(MARKED), bpe, [Turn("what is seen?", images=(RED,))])
    start, end = bpe.token_to_id("<im_start>"), bpe.token_to_id("<im_end>")
    before, picture, after = prompt.pieces
    assert before.keys[-1] == start
    assert picture in prompt.images
    assert end in after.keys[:2]  # a blank may stand before it, as everywhere in LLaVA


def test_keys_say_which_rows_are_alike() -> None:
    bpe, spec = tokenizer("legacy"), model(MISTRAL)
    prompt = build(spec, bpe, [Turn("compare", images=(RED, BLUE))])
    assert len(prompt) == len(prompt.keys) == sum(map(len, prompt.pieces))
    rows = [key for key in prompt.keys if key < 0]
    assert len(rows) == len(set(rows)) == 2 * spec.tokens_per_image
    assert min(rows) >= -(2**63)
    again = build(spec, bpe, [Turn("compare", images=(Picture.of(Image.new("RGB", (9, 5), "red")), BLUE))])
    assert again.keys == prompt.keys
    assert again.images[0].key == prompt.images[0].key != prompt.images[1].key
    stretched = replace(spec, image=replace(spec.image, fit="stretch"))
    other = build(stretched, bpe, [Turn("compare", images=(RED, BLUE))])
    assert not set(rows) & set(other.keys)


def test_the_next_turn_goes_on_from_the_last() -> None:
    bpe, spec = tokenizer("bytes"), model(VICUNA)
    first = build(spec, bpe, [Turn("what is seen?", images=(RED,))])
    second = build(spec, bpe, [Turn("what is seen?", "the heart", (RED,)), Turn("is it enlarged?")])
    assert second.keys[: len(first)] == first.keys


WORDS = ["<image>", "</s>", "<s>", "<unk>", "<im_start>"]
SCRAPS = ["<im", "age>", "</", "s>", "<", ">", "_start>", " ", "\n", "{}x"]


@given(
    question=st.lists(st.sampled_from(WORDS + SCRAPS), max_size=8).map("".join),
    kind=st.sampled_from(["legacy", "first", "bytes"]),
)
@settings(max_examples=200, deadline=None)
def test_peoples_text_stays_text(question: str, kind: str) -> None:
    for image in (False, True):
        bpe = tokenizer(kind, image)
        plain, tried = (build(model(VICUNA), bpe, [Turn(text, text, (RED,)), Turn(text)]) for text in ("x", question))
        assert len(tried.images) == 1
        special = [bpe.token_to_id(word) for word in ("<s>", "</s>", "<im_start>", "<image>")]
        assert [key for key in tried.keys if key in special] == [key for key in plain.keys if key in special]
        text = render(VICUNA, bpe, [Turn(question)])
        blank = str.maketrans("", "", " ")
        assert text.translate(blank) == render(VICUNA, bpe, [Turn("")]).replace("USER:", f"USER:{question}").translate(
            blank
        )  # nothing but blanks was put in


def test_ordinary_text_is_left_alone() -> None:
    question = "Is x < 5 cm, and y > 3? <b>Say</b> [INST] {yes}"
    assert question in render(VICUNA, tokenizer("legacy"), [Turn(question)])


def test_runs_of_blanks_are_text_even_where_they_are_tokens() -> None:
    bpe = Tokenizer(models.BPE(vocab={"<unk>": 0, "a": 1}, merges=[], unk_token="<unk>"))
    bpe.add_tokens([AddedToken("  ", normalized=True), AddedToken("\t\t", normalized=True)])
    assert "a  a\t\ta" in render(MISTRAL, bpe, [Turn("a  a\t\ta")])


def test_a_special_word_of_one_character_is_blotted_out() -> None:
    bpe = Tokenizer(models.BPE(vocab={"<unk>": 0, "a": 1}, merges=[], unk_token="<unk>"))
    bpe.add_special_tokens(["☃"])
    assert render(MISTRAL, bpe, [Turn("a☃a")]) == "[INST] a a [/INST]"


@given(
    words=st.lists(st.text("<x> ☃\t", min_size=1, max_size=5), min_size=1, max_size=6, unique=True),
    question=st.text("<x> ☃\t", max_size=24),
)
@settings(deadline=None)
def test_no_special_word_survives_in_peoples_text(words: list[str], question: str) -> None:
    bpe = Tokenizer(models.BPE(vocab={"<unk>": 0, "a": 1}, merges=[], unk_token="<unk>"))
    bpe.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in words])
    bare = replace(MISTRAL, user="USER: {} ")  # with a blank on either side, which begins or ends some words
    text = render(bare, bpe, [Turn(question)]).removeprefix("USER:")
    assert not [word for word in words if word.strip() and word in text]


@pytest.mark.parametrize("turns", [[], [Turn("a"), Turn("b")], [Turn("a\udcff")], [Turn("a", "\udcff"), Turn("b")]])
def test_open_or_missing_turns_are_refused(turns: list[Turn]) -> None:
    with pytest.raises(InputError):
        build(model(VICUNA), tokenizer("legacy"), turns)


def test_other_threads_go_on_while_a_long_text_is_tokenized() -> None:
    """A service has others to answer meanwhile, and its engine has steps to run."""
    spec, bpe, text = model(VICUNA), tokenizer("legacy"), "what is seen in this image of the chest " * 8000

    def longest_pause() -> float:
        """Of another thread, as a part of the time that the prompt takes."""
        pauses, ended = [0.0], threading.Event()

        def tick() -> None:
            last = time.perf_counter()
            while not ended.is_set():
                time.sleep(0.001)
                now = time.perf_counter()
                pauses.append(now - last)
                last = now

        thread = threading.Thread(target=tick)
        thread.start()
        begun = time.perf_counter()
        build(spec, bpe, [Turn(text)])
        took = time.perf_counter() - begun
        ended.set()
        thread.join()
        return max(pauses) / took

    assert any(longest_pause() < 0.5 for _ in range(5))


def test_special_words_are_looked_for_all_at_once() -> None:
    """Some vocabularies have hundreds of them; a text that begins like each, at every letter, is read once."""
    few, many = (Tokenizer(models.BPE(vocab={"<unk>": 0, "a": 1}, merges=[], unk_token="<unk>")) for _ in range(2))
    few.add_special_tokens(["<|token_1|>"])
    many.add_special_tokens([f"<|token_{number}|>" for number in range(250)])
    turns = [Turn("<" * 50_000 + "<|token_" * 10_000)]

    def least_s(bpe: Tokenizer) -> float:
        times = []
        for _ in range(5):
            begun = time.process_time()
            render(MISTRAL, bpe, turns)
            times.append(time.process_time() - begun)
        return min(times)

    assert least_s(many) < 8 * least_s(few)
    assert "<|token_249|>" not in render(MISTRAL, many, [Turn("<|token_249|>")])
