/* The list of earlier cases: the latest first, found by a word, read on as far as wanted. */

import { get } from "./api.js";
import { $, element, icon, show } from "./dom.js";
import { explain } from "./explain.js";
import { number, onLanguage, t, when } from "./language.js";

const LIMIT = 30;
let cases = [];
let hasMore = false;
let selected = null;
let latest = 0; // which of several searches was the last

export function start() {
    let typing = 0;
    $("search").addEventListener("input", () => {
        clearTimeout(typing);
        typing = setTimeout(() => reload(), 250);
    });
    $("cases-more").addEventListener("click", () => load(cases.at(-1)?.id));
    onLanguage(draw);
}

export const reload = () => load(null);

export function clear() {
    latest += 1;
    cases = [];
    hasMore = false;
    $("search").value = "";
    draw();
}

/** Show a case no longer, without asking the service. */
export function drop(id) {
    cases = cases.filter((conversation) => conversation.id !== id);
    draw();
}

async function load(before) {
    const call = ++latest;
    const query = new URLSearchParams({ limit: LIMIT });
    const search = $("search").value.trim();
    if (search) query.set("search", search);
    if (before) query.set("before", before);
    try {
        const page = await get(`api/conversations?${query}`);
        if (call !== latest) return;
        cases = before ? [...cases, ...page.conversations] : page.conversations;
        hasMore = page.more;
        draw();
    } catch (error) {
        if (call !== latest) return;
        $("cases-none").textContent = explain(error);
        show($("cases-none"), true);
    }
}

/** Mark the case that is open, and show what is new of it without asking the service. */
export function select(id) {
    selected = id;
    for (const link of $("cases").querySelectorAll("a")) {
        if (link.dataset.id === id) link.setAttribute("aria-current", "page");
        else link.removeAttribute("aria-current");
    }
}

/** What a case is called: its label, else its first question. */
const nameOf = (conversation) => conversation.label || conversation.title || t("cases.untitled");

function draw() {
    $("cases").replaceChildren(...cases.map(row));
    $("cases-none").textContent = $("search").value.trim() ? t("cases.notFound") : t("cases.none");
    show($("cases-none"), !cases.length);
    show($("cases-more"), hasMore);
    select(selected);
}

function pictures(count) {
    const label = t("cases.pictures", { count });
    return element("span", { class: "count", title: label }, icon("picture"), element("span", { "aria-hidden": "true", text: number(count) }), element("span", { class: "hidden-text", text: label }));
}

function row(conversation) {
    const link = element("a", { href: `#conversation=${conversation.id}`, "data-id": conversation.id });
    const name = element("span", { class: "case-name", dir: "auto", text: nameOf(conversation) });
    const foot = element("span", { class: "case-foot" }, element("span", { text: when(conversation.changed) }));
    if (conversation.pictures) foot.append(pictures(conversation.pictures));
    if (conversation.access !== "own") foot.append(element("span", { class: "count", dir: "auto" }, icon("people"), conversation.owner));
    link.append(name, foot);
    return element("li", {}, link);
}
