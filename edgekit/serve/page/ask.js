/* The question as it is made: its text, the pictures that go along, and questions that are asked often. */

import { upload } from "./api.js";
import { $, element, iconButton, say, show } from "./dom.js";
import { explain } from "./explain.js";
import { inEnglish, language, onLanguage, t } from "./language.js";
import { reduced } from "./reduce.js";
import { service } from "./session.js";

const PRESETS = ["describe", "abnormal", "effusion", "pneumothorax", "consolidation", "heart", "fracture", "devices"];

let host = null; // what case.js gives: ensure, ask, stop, look, …
let attached = []; // {key, picture, name, progress, failed}
let asking = false;
let pending = ""; // a question of which the service has not spoken yet
let several = null; // the questions chosen to be asked together; null while one is asked at a time

export function start(conversation) {
    host = conversation;
    const question = $("question");
    $("ask").addEventListener("submit", (event) => {
        event.preventDefault();
        submit();
    });
    question.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        submit();
    });
    question.addEventListener("input", fit);
    question.addEventListener("paste", (event) => event.clipboardData.files.length && (event.preventDefault(), attach(event.clipboardData.files)));
    $("stop").addEventListener("click", () => host.stop());
    for (const press of document.querySelectorAll("[data-choose]")) press.addEventListener("click", () => $(press.dataset.choose).click());
    for (const input of [$("file"), $("camera")]) input.addEventListener("change", () => (attach(input.files), (input.value = "")));
    $("show-suggestions").addEventListener("click", () => {
        suggest($("suggestions").hidden);
        if (!$("suggestions").hidden) $("suggestions").scrollIntoView({ block: "end" });
    });
    $("choose-several").addEventListener("click", () => chooseSeveral(!several));
    $("ask-together").addEventListener("click", askTogether);
    drops();
    onLanguage(() => (drawSuggestions(), drawAttached(), hintLanguage()));
}

/** Begin a question for another conversation. */
export function reset() {
    attached = [];
    several = null;
    pending = "";
    $("question").value = "";
    fit();
    $("ask-state").textContent = "";
    warn("");
    drawAttached();
    drawSuggestions();
    hintLanguage();
}

export const draft = () => $("question").value || pending;
export const isEmpty = () => !attached.length;
export const focus = () => $("question").focus();

export function warn(text) {
    $("ask-warning").textContent = text;
    show($("ask-warning"), Boolean(text));
}

/** Show that an answer is on its way, or no longer is. */
export function busy(is) {
    asking = is;
    show($("stop"), is);
    show($("send"), !is);
}

/** Offer the questions that are asked often, or put them away. */
export function suggest(visible) {
    show($("suggestions"), visible);
    $("show-suggestions").setAttribute("aria-expanded", String(visible));
}

/** Give the pictures of the next question another form: one that is masked takes the place of the one that was not. */
export function replacePicture(id, picture) {
    const item = attached.find((item) => item.picture?.id === id);
    if (item) item.picture = picture;
    else attached.push({ key: picture.id, picture, name: "" });
    drawAttached();
}

export function putBack(text) {
    $("question").value ||= text;
    fit();
    focus();
}

function fit() {
    const question = $("question");
    question.style.height = "auto";
    question.style.height = `${Math.min(question.scrollHeight + 2, 200)}px`;
}

function hintLanguage() {
    const languages = service().languages_of_model || [];
    const foreign = languages.length && !languages.includes(language());
    $("only-english").textContent = t("ask.onlyEnglish");
    show($("only-english"), Boolean(foreign));
}

async function submit() {
    const text = $("question").value.trim();
    if (asking || !text) return;
    if (attached.some((item) => !item.picture && !item.failed)) return warn(t("ask.uploading"));
    $("question").value = "";
    fit();
    await ask(text);
}

async function ask(text) {
    const pictures = attached.filter((item) => item.picture);
    const most = service().images || 1;
    if (pictures.length > most) return putBack(text), warn(t("ask.tooMany", { count: most })), false;
    attached = [];
    warn("");
    drawAttached();
    suggest(false);
    pending = text;
    try {
        return await host.ask(text, pictures.map((item) => item.picture.id), () => (pending = ""));
    } catch (error) {
        attached = [...pictures, ...attached];
        drawAttached();
        putBack(text);
        warn(explain(error));
        return false;
    } finally {
        pending = "";
    }
}

/** Upload files, and keep them for the next question. */
export async function attach(files) {
    warn("");
    for (const file of files) {
        const item = { key: Math.random(), picture: null, name: file.name, progress: 0, failed: "" };
        attached.push(item);
        drawAttached();
        try {
            const content = await reduced(file);
            const path = await host.ensure();
            item.picture = await upload(`${path}/images`, content, (share) => progress(item, share));
            host.added(item.picture);
            say(t("picture.ready"));
        } catch (error) {
            item.failed = explain(error);
            say(item.failed);
        }
        drawAttached();
    }
    if (!("ontouchstart" in window)) focus();
}

/** Upload a picture, and ask about it at once. */
export async function askAbout(file, question) {
    await attach([file]);
    if (attached.some((item) => item.picture)) await ask(question);
}

function progress(item, share) {
    item.progress = share;
    const bar = document.querySelector(`[data-key="${item.key}"] progress`);
    if (bar) bar.value = share;
}

function drawAttached() {
    $("attached").replaceChildren(...attached.map(card));
    show($("attached"), attached.length > 0);
}

function card(item) {
    const remove = async () => {
        attached = attached.filter((other) => other !== item);
        drawAttached();
        if (item.picture) host.removed(item.picture.id);
    };
    const inside = [];
    if (item.picture) {
        const press = element("button", { type: "button", class: "thumbnail", "aria-label": t("viewer.look"), on: { click: () => host.look(item.picture.id) } });
        press.append(element("img", { src: `${host.path()}/images/${item.picture.id}?side=160`, alt: "" }));
        inside.push(press);
    } else if (item.failed) inside.push(element("span", { class: "failed", dir: "auto", text: item.failed }));
    else inside.push(element("progress", { max: 1, value: item.progress, "aria-label": t("picture.uploading") }));
    const warned = item.picture?.warnings?.includes("burned_in");
    return element("li", { class: warned ? "attached-item warned" : "attached-item", "data-key": item.key }, ...inside, iconButton("close", t("picture.remove"), remove));
}

function drops() {
    const over = (event) => {
        if (![...(event.dataTransfer?.types || [])].includes("Files") || $("ask").hidden) return;
        event.preventDefault();
        document.body.classList.toggle("dropping", event.type === "dragover");
        if (event.type === "drop") attach(event.dataTransfer.files);
    };
    for (const name of ["dragover", "drop"]) document.addEventListener(name, over);
    document.addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
}

/** What a preset is asked as: in the reader's language where the model knows it. */
function wordsOf(preset) {
    const known = (service().languages_of_model || ["en"]).includes(language());
    return (known ? t : inEnglish)(`preset.${preset}`);
}

function drawSuggestions() {
    const chips = PRESETS.map((preset) => {
        const press = element("button", { type: "button", class: "chip", text: t(`preset.${preset}`), on: { click: () => choose(preset) } });
        if (several) press.setAttribute("aria-pressed", String(several.has(preset)));
        return press;
    });
    $("chips").replaceChildren(...chips);
    $("choose-several").textContent = several ? t("cancel") : t("suggest.several");
    $("choose-several").setAttribute("aria-pressed", String(Boolean(several)));
    show($("together"), Boolean(several));
    $("ask-together").textContent = t("suggest.together", { count: several?.size || 0 });
    $("ask-together").disabled = !several?.size;
}

function choose(preset) {
    if (several) {
        if (!several.delete(preset)) several.add(preset);
        drawSuggestions();
        $("chips").children[PRESETS.indexOf(preset)].focus();
    } else if (asking || !(attached.some((item) => item.picture) || host.hasPictures())) {
        $("question").value = wordsOf(preset);
        fit();
        focus();
        if (!asking) warn(t("ask.noPicture"));
    } else ask(wordsOf(preset));
}

function chooseSeveral(is) {
    several = is ? new Set() : null;
    drawSuggestions();
}

async function askTogether() {
    if (asking) return;
    const questions = PRESETS.filter((preset) => several.has(preset)).map(wordsOf);
    chooseSeveral(false);
    suggest(false);
    for (const [index, question] of questions.entries()) {
        $("ask-state").textContent = t("suggest.left", { count: questions.length - index - 1 });
        if ((await ask(question)) !== "whole") break;
    }
    $("ask-state").textContent = "";
}
