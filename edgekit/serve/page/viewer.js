/* The pictures of a case: which of them is looked at, in one pane or two, by which tool. */

import { send } from "./api.js";
import { $, element, say, show } from "./dom.js";
import { explain } from "./explain.js";
import { obey } from "./gestures.js";
import { onLanguage, t } from "./language.js";
import { Pane } from "./pane.js";
import { Frames } from "./pixels.js";
import { service } from "./session.js";

const frames = new Frames();
let host = null; // {path, images, masked}
let panes = [];
let active = 0;
let tool = "window";

export function start(conversation) {
    host = conversation;
    panes = [0, 1].map((index) => {
        const hooks = { changed: () => drawSlider(index), failed: (error) => warn(explain(error)), step: (by) => step(index, by) };
        const pane = new Pane(frames, hooks);
        const slider = element("input", { type: "range", class: "frames", min: 1, max: 1, hidden: true });
        slider.addEventListener("input", () => step(index, Number(slider.value) - 1 - pane.frame));
        pane.slider = slider;
        obey(pane, () => tool, () => choose(index));
        $("panes").append(element("div", { class: "pane-box", hidden: index === 1 }, pane.element, slider));
        return pane;
    });
    for (const press of document.querySelectorAll("button[data-tool]")) press.addEventListener("click", () => setTool(press.dataset.tool));
    for (const press of document.querySelectorAll("[data-act]")) press.addEventListener("click", () => ACTS[press.dataset.act]());
    $("mask-add").addEventListener("click", addMask);
    $("mask-undo").addEventListener("click", () => (pane().masks.pop(), pane().redraw()));
    $("mask-apply").addEventListener("click", applyMask);
    $("open-viewer").addEventListener("click", () => open(true));
    $("viewer-close").addEventListener("click", () => open(false));
    $("viewer").addEventListener("keydown", (event) => event.key === "Escape" && isOver() && open(false));
    onLanguage(() => {
        for (const pane of panes) if (pane.picture) pane.label(), pane.tell();
        if (pane().picture) drawFacts();
    });
}

const pane = () => panes[active];
const isTwo = () => !panes[1].element.parentElement.hidden;
const isOver = () => document.body.classList.contains("viewing"); // a small screen shows it over everything

const ACTS = {
    in: () => pane().zoomBy(1.4),
    out: () => pane().zoomBy(1 / 1.4),
    invert: () => pane().invert(),
    reset: () => pane().reset(),
    two: () => setTwo(!isTwo()),
};

/** Look at a picture, in the pane that was touched last. */
export function look(id, open_ = true) {
    const picture = host.images().get(id);
    if (!picture) return;
    show($("viewer"), true);
    document.body.classList.add("has-pictures");
    warn("");
    panes[active].load(host.path(), picture, picture.frames > 1 ? Math.floor((picture.frames - 1) / 2) : 0);
    drawStrip();
    drawFacts();
    if (open_) open(true);
}

function open(is) {
    const small = matchMedia("(max-width: 839px)").matches;
    document.body.classList.toggle("viewing", is && small);
    if (small) is ? $("viewer-close").focus() : $("open-viewer").focus();
}

/** Show no longer a picture that is gone. */
export function forget(id) {
    for (const pane of panes) if (pane.picture?.id === id) pane.clear();
    if (!panes[0].picture && panes[1].picture) setTwo(false);
    const left = [...host.images().keys()].at(-1);
    if (!panes[0].picture && left) look(left, false);
    else if (!left) clear();
    else drawStrip();
}

export function clear() {
    for (const pane of panes) pane.clear();
    frames.clear();
    setTwo(false);
    setTool("window");
    show($("viewer"), false);
    show($("viewer-warning"), false);
    document.body.classList.remove("has-pictures", "viewing");
    $("strip").replaceChildren();
    $("viewer-notes").replaceChildren();
}

function choose(index) {
    if (active === index) return;
    active = index;
    panes.forEach((pane, other) => pane.element.classList.toggle("active", other === index && isTwo()));
    drawStrip();
    drawFacts();
}

function setTwo(is) {
    show(panes[1].element.parentElement, is);
    document.querySelector('[data-act="two"]').setAttribute("aria-pressed", String(is));
    if (!is) {
        panes[1].clear();
        active = 0;
        panes[0].element.classList.remove("active");
        return;
    }
    const others = [...host.images().keys()].filter((id) => id !== panes[0].picture?.id);
    active = -1;
    choose(1);
    if (others.length) look(others.at(-1), false);
}

function setTool(name) {
    tool = name;
    for (const press of document.querySelectorAll("button[data-tool]")) press.setAttribute("aria-pressed", String(press.dataset.tool === name));
    show($("mask-bar"), name === "mask");
    $("panes").dataset.tool = name;
    if (name !== "mask") for (const pane of panes) (pane.masks = []), pane.redraw();
}

function step(index, by) {
    const { picture, frame, path } = panes[index];
    if (!picture) return;
    const next = Math.min(picture.frames - 1, Math.max(0, frame + by));
    if (next !== frame) panes[index].load(path, picture, next);
}

function drawSlider(index) {
    const pane = panes[index];
    if (!pane?.slider) return;
    const many = pane.picture?.frames > 1;
    show(pane.slider, many);
    if (many) [pane.slider.max, pane.slider.value] = [pane.picture.frames, pane.frame + 1];
    pane.slider.setAttribute("aria-label", t("viewer.frame"));
    if (index === active) document.querySelector('[data-act="invert"]').setAttribute("aria-pressed", String(pane.inverted));
}

function warn(text, isMild = false) {
    $("viewer-warning").classList.toggle("mild", isMild);
    $("viewer-warning").textContent = text;
    show($("viewer-warning"), Boolean(text));
}

/** What the reading noticed, and whether there may be writing in the picture. */
function drawFacts() {
    const { picture } = pane();
    const warnings = picture?.warnings || [];
    warn(warnings.map((warning) => t(`warning.${warning}`)).join(" "), !warnings.includes("burned_in"));
    $("viewer-notes").replaceChildren(...(picture?.notes || []).map((note) => element("li", { dir: "auto", text: note })));
    show($("viewer-notes"), Boolean(picture?.notes?.length));
}

function drawStrip() {
    const images = [...host.images().values()];
    const chosen = panes.map((pane) => pane.picture?.id);
    $("strip").replaceChildren(...images.map((picture, index) => {
        const label = t("viewer.number", { number: index + 1 });
        const press = element("button", { type: "button", class: "thumbnail", "aria-label": label, title: label, "aria-pressed": String(chosen[active] === picture.id) });
        press.append(element("img", { src: `${host.path()}/images/${picture.id}?side=160`, alt: "" }));
        press.addEventListener("click", () => look(picture.id, false));
        return press;
    }));
    show($("strip"), images.length > 1);
    show(document.querySelector('[data-act="two"]'), images.length > 1 && (service().images || 1) > 1);
}

/** A rectangle in the picture's middle, for keys to move. */
function addMask() {
    const { picture, element: target } = pane();
    const [wide, high] = [Math.round(picture.width / 4), Math.round(picture.height / 12)];
    pane().masks.push([Math.round((picture.width - wide) / 2), Math.round((picture.height - high) / 2), wide, high]);
    pane().redraw();
    target.focus();
}

async function applyMask() {
    const { picture, masks } = pane();
    if (!masks.length) return warn(t("mask.none"));
    $("mask-apply").disabled = true;
    try {
        const made = await send("POST", `${host.path()}/images/${picture.id}/mask`, { rectangles: masks });
        setTool("window");
        pane().clear();
        host.masked(picture.id, made);
        say(t("mask.done"));
    } catch (error) {
        warn(explain(error));
    } finally {
        $("mask-apply").disabled = false;
    }
}
