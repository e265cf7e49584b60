/* How the service fares, for its admin: figures and dates, nothing of any patient. */

import { get } from "./api.js";
import { $, button, element, show } from "./dom.js";
import { explain } from "./explain.js";
import { number, size, t, when } from "./language.js";
import { openSupport } from "./support.js";

const EVERY_MS = 5000;
let timer = 0;

export async function openAdmin() {
    show($("app"), false);
    show($("admin"), true);
    const back = button("secondary", t("back"), () => (location.hash = ""));
    const body = element("div", { class: "admin" });
    const support = button("secondary", t("support.open"), openSupport);
    const bar = element("div", { class: "sheet-bar" }, back, element("span", { class: "grow" }), support);
    $("admin").replaceChildren(bar, element("div", { class: "sheet" }, element("h1", { text: t("admin.title") }), body));
    back.focus();
    const load = async () => {
        try {
            body.replaceChildren(...cards(await get("api/admin")));
        } catch (error) {
            body.replaceChildren(element("p", { class: "warning", role: "alert", text: explain(error) }));
        }
        if (!$("admin").hidden) timer = setTimeout(load, EVERY_MS);
    };
    await load();
}

export function closeAdmin() {
    clearTimeout(timer);
    if ($("admin").hidden) return;
    show($("admin"), false);
    $("admin").replaceChildren();
    show($("app"), true);
}

function cards(figures) {
    const { queue, slots, memory, disk, golden, nightly } = figures;
    const made = [];
    const card = (key, ...inside) => made.push(element("section", { class: "card" }, element("h2", { text: t(`admin.${key}`) }), ...inside));
    const big = (text, small = "") => [element("p", { class: "big", text }), element("p", { class: "small", text: small })];
    if (slots) card("slots", ...big(`${number(slots.busy)} / ${number(slots.all)}`), meter(slots.busy, slots.all, t("admin.slots")));
    if (queue) card("queue", ...big(number(queue.waiting), t("admin.running", { count: number(queue.running) })));
    if (memory) card("memory", ...big(size(memory.used_bytes), memory.budget_bytes ? t("admin.of", { all: size(memory.budget_bytes) }) : ""), meter(memory.used_bytes, memory.budget_bytes, t("admin.memory")));
    if (disk) card("disk", ...big(size(disk.free_bytes), t("admin.free", { all: size(disk.all_bytes) })), meter(disk.all_bytes - disk.free_bytes, disk.all_bytes, t("admin.disk")));
    card("golden", ...(golden ? big(t(golden.agrees ? "admin.agrees" : "admin.differs"), when(golden.time)) : big(t("admin.never"))));
    if (nightly) card("nightly", ...night(nightly, big));
    card("certificates", rows(figures.certificates, (one) => [one.name, when(one.until)]));
    card("signedIn", rows(figures.signed_in, (one) => [one.name, when(one.seen)]));
    card("errors", rows(figures.errors, (one) => [one.code, when(one.time)]));
    return made;
}

/** What the check of the last night said: of the answers, then whatever is to be looked at, in the service's own words. */
function night({ answers, answers_time, files, findings }, big) {
    const said = { passed: "admin.agrees", failed: "admin.differs" }[answers] || "admin.notDone";
    const warning = files === "failed" ? element("p", { class: "warning", text: t("admin.changed") }) : null;
    return [...big(t(said), when(answers_time)), warning, ...findings.map((text) => element("p", { class: "small", dir: "auto", lang: "en", text }))];
}

function meter(value, most, label) {
    return most ? element("meter", { min: 0, max: most, high: 0.85 * most, value, "aria-label": label }) : null;
}

function rows(list, of) {
    if (!list?.length) return element("p", { class: "small", text: t("admin.none") });
    const body = list.map((one) => element("tr", {}, ...of(one).map((text) => element("td", { dir: "auto", text }))));
    return element("table", {}, element("tbody", {}, ...body));
}
