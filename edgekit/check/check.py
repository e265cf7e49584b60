"""Does a bundle answer on this machine as its model does? Where not: which component, and what to try?"""

from __future__ import annotations

from dataclasses import replace

from edgekit.bundle import Bundle
from edgekit.check import forced
from edgekit.check.checked import Checked, CheckedComponent
from edgekit.check.components import ComponentFigures, Specimen, measure_components
from edgekit.check.golden import PICTURE, Golden, GoldenSequence, read_golden
from edgekit.check.limits import component_limits, whole_limits
from edgekit.check.make import ids_of, prompt_of
from edgekit.check.measure import Figures, SequenceFigures, compare, figures
from edgekit.check.rounding import Sums, sums_here
from edgekit.engines.base import PartedEngine
from edgekit.errors import BundleError, InputError
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Piece, Prompt, TextPiece
from edgekit.progress import Progress, silent
from edgekit.recipe import Recipe
from edgekit.runtime.embeddings import Embeddings
from edgekit.runtime.model import open_tokenizer

PARTS = ("vision", "projector", "embedding", "decoder")


def check(bundle: Bundle, engine: PartedEngine, progress: Progress = silent) -> Checked:
    """Ask ``bundle`` its golden questions by ``engine`` (:func:`~edgekit.check.verdict.check_here`: by the one that
    runs it here).

    :class:`~edgekit.errors.BundleError` where it has no record or a damaged one; errors as of the engine.
    """
    specimen = specimen_of(bundle, engine)
    golden = specimen.golden
    embeddings, reader = Embeddings(engine), forced.Reader(engine)
    done, total = 0, len(golden.sequences) + 2 * len(golden.alone)

    def step() -> None:
        nonlocal done
        done += 1
        progress("check", done, total)

    def whole(sequence: GoldenSequence) -> SequenceFigures:
        compared = whole_answer(specimen, sequence, embeddings, reader)
        step()
        return compared

    answers = figures([whole(sequence) for sequence in golden.sequences])
    checked = judge(bundle, golden, answers, measure_components(specimen, step), sums=sums_here(bundle, engine))
    return replace(checked, stood_in=bundle.manifest.target.kind.on_gpu and not engine.on_gpu)


def specimen_of(bundle: Bundle, engine: PartedEngine) -> Specimen:
    """Open what is asked of ``bundle``, to be asked of ``engine``; errors as of :func:`check`."""
    golden, arrays = read_golden(bundle)
    pictures = tuple(_picture(bundle, name) for name in golden.pictures)
    return Specimen(
        bundle=bundle,
        golden=golden,
        arrays=arrays,
        pictures=pictures,
        tokenizer=open_tokenizer(bundle),
        engine=engine,
    )


def judge(
    bundle: Bundle, golden: Golden, whole: Figures, measured: tuple[ComponentFigures, ...], *, sums: Sums
) -> Checked:
    """Hold figures against the limits of the bundle's recipe, and of how products were added up here."""
    gate = bundle.manifest.recipe.gate
    components = tuple(
        CheckedComponent(component, component_limits(component, golden, bundle, gate, sums=sums))
        for component in measured
    )
    worst = max(components, key=lambda component: component.badness)
    limits = whole_limits(whole, gate)
    passed = all(limit.passed for limit in limits) and worst.passed
    # Where the whole falls short and every component keeps its own limits, the nearest to one is the first to try.
    named = "" if passed else worst.name
    return Checked(
        reference=golden.reference,
        engine=golden.engine,
        figures=whole,
        limits=limits,
        components=components,
        worst=named,
        advice=_advice(worst, bundle.manifest.recipe) if named else "",
    )


def _picture(bundle: Bundle, name: str) -> Picture:
    try:
        return load_image(bundle.file(name))
    except InputError as error:
        raise BundleError(error.message, "Copy or build the bundle again.") from error


def whole_answer(
    specimen: Specimen, sequence: GoldenSequence, embeddings: Embeddings, reader: forced.Reader
) -> SequenceFigures:
    """Ask one sequence the whole way: picture prepared and encoded, question written down, answer forced."""
    picture = None if sequence.picture is None else specimen.pictures[sequence.picture]
    prompt = prompt_of(specimen.bundle.manifest.spec, specimen.tokenizer, sequence.question, picture)
    if ids_of(prompt) != sequence.prompt:  # the template's own error says so; the rest is measured nevertheless
        prompt = _stored(sequence, prompt)
    rows = embeddings.rows(prompt, 0, len(prompt))
    return compare(sequence.positions, reader.forced(rows, sequence.answer[:-1]))


def _stored(sequence: GoldenSequence, prompt: Prompt) -> Prompt:
    """The prompt as its ids were stored."""
    images = iter(prompt.images)
    pieces: list[Piece] = [next(images) if token == PICTURE else TextPiece((token,)) for token in sequence.prompt]
    return Prompt(tuple(pieces))


def _advice(worst: CheckedComponent, recipe: Recipe) -> str:
    """What to try where ``worst`` is the worst component."""
    broken = {limit.name for limit in worst.limits if not limit.passed}
    if worst.measured.fault or broken & {"error", "gain", "offset"}:
        return (
            f"The {worst.name} does not compute here what its weights say. Where every file is as it was sealed, "
            "remove the bundle's folder 'engines' if it has one, or build the bundle again."
        )
    precision = recipe.precision(worst.name) if worst.name in PARTS else ""
    wider = {"int4": "int8", "int8": "fp16", "fp16": "fp32"}.get(precision)
    if wider is None:
        return "Build the bundle again; if that does not help, --force goes on."
    keep = f'keep the {worst.name} wider, {worst.name} = "{wider}" in a recipe of your own, or try a wider recipe'
    if precision == "int4" and recipe.method == "rtn":
        return f"Fit it to questions like those that will be asked, `edgekit build --calibrate DATA`; or {keep}."
    return f"{keep[0].upper()}{keep[1:]}."
