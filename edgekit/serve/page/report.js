/* A report: a model's draft in the doctor's hands, and on paper, where every page says what it is. */

import { spelled } from "./about.js";
import { send } from "./api.js";
import { $, button, element, icon, say, show } from "./dom.js";
import { explain } from "./explain.js";
import { day, inEnglish, language, moment, t } from "./language.js";
import { service, session } from "./session.js";

const KEEP_MS = 800;
const FIELDS = ["findings", "impression"];
let closing = () => {};

/** Open the report of a case; `more` is an answer to be added to its findings. */
export function openReport(host, more = "") {
    const texts = read(host.document.report);
    const state = element("span", { class: "small", role: "status" });
    const fields = Object.fromEntries(FIELDS.map((name) => [name, field(name, texts[name], host.mayChange, changed)]));
    let timer = 0;
    let unkept = false;
    let sent = Promise.resolve();

    function changed() {
        unkept = true;
        clearTimeout(timer);
        timer = setTimeout(keep, KEEP_MS);
        state.textContent = "";
    }

    /** Keep what is written; one after the other, or a slow link might let an older text arrive last. */
    function keep() {
        clearTimeout(timer);
        if (!unkept || !host.mayChange) return sent;
        unkept = false;
        const report = JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, fields[name].area.value])));
        return (sent = sent.then(() => put(report)));
    }

    async function put(report) {
        try {
            await send("PATCH", host.path, { report });
            host.document.report = report;
            if (!unkept) state.textContent = t("report.kept");
        } catch (error) {
            unkept = true;
            state.textContent = explain(error);
        }
    }

    async function draft() {
        drafting.disabled = true;
        for (const name of FIELDS) {
            state.textContent = t("report.drafting");
            const known = (service().languages_of_model || ["en"]).includes(language());
            const outcome = await host.ask((known ? t : inEnglish)(`report.ask.${name}`)).catch((error) => error);
            if (outcome !== "whole") {
                state.textContent = outcome instanceof Error ? explain(outcome) : t("turn.failed");
                break;
            }
            fields[name].add(host.turnsNow().at(-1).answer);
        }
        drafting.disabled = false;
        say(state.textContent);
    }

    const drafting = button("secondary", t("report.draft"), draft);
    const print = element("button", { type: "button", class: "primary", on: { click: () => Promise.all([keep(), withCode(host)]).finally(() => window.print()) } }, icon("print"), t("report.print"));
    const back = button("secondary", t("back"), () => close());
    const bar = element("div", { class: "sheet-bar" }, back, element("span", { class: "grow" }), state, host.mayChange ? drafting : null, print);
    $("report").replaceChildren(bar, sheet(host, fields));
    closing = keep;
    show($("report"), true);
    show($("app"), false);
    for (const name of FIELDS) fields[name].fit();
    if (more) fields.findings.add(more);
    fields.findings.area.focus();
}

/** Leave the report; what was written in it is kept first. */
export function close() {
    if ($("report").hidden) return;
    closing();
    closing = () => {};
    show($("report"), false);
    $("report").replaceChildren();
    show($("app"), true);
    $("open-report").focus();
}

function read(report) {
    try {
        return { findings: "", impression: "", ...JSON.parse(report || "{}") };
    } catch {
        return { findings: String(report), impression: "" };
    }
}

/** A text to write in, and the same for paper, where a box would be cut off. */
function field(name, text, mayChange, changed) {
    const area = element("textarea", { id: `report-${name}`, rows: 4, dir: "auto", maxlength: 30000, readonly: !mayChange });
    const printed = element("p", { class: "printed", dir: "auto" });
    const fit = () => {
        area.style.height = "auto";
        area.style.height = `${area.scrollHeight + 2}px`;
        printed.textContent = area.value;
    };
    area.value = text;
    area.addEventListener("input", () => (fit(), changed()));
    const add = (more) => {
        area.value = [area.value.trim(), more.trim()].filter(Boolean).join("\n");
        fit();
        changed();
    };
    return { area, printed, fit, add };
}

function sheet(host, fields) {
    const { document, turns, images, path } = host;
    const facts = element("dl", { class: "sheet-facts" });
    const fact = (name, text) => text && facts.append(element("dt", { text: t(name) }), element("dd", { dir: "auto", text }));
    fact("details.label", document.label || document.title);
    fact("report.date", day(new Date().toISOString()));
    fact("details.referring", document.referring_question);
    fact("report.doctor", host.mayChange ? session()?.account?.name : document.owner);
    const pictures = element("div", { class: "sheet-pictures" });
    for (const picture of images.slice(0, 4)) pictures.append(element("img", { src: `${path}/images/${picture.id}?side=1024`, alt: t("viewer.picture") }));
    const body = element("div", { class: "sheet-body" }, element("h1", { text: t("report.title") }), facts, pictures);
    for (const name of FIELDS) {
        body.append(element("h2", {}, element("label", { for: `report-${name}`, text: t(`report.${name}`) })));
        body.append(fields[name].area, fields[name].printed);
    }
    body.append(element("p", { class: "sign", text: t("report.sign") }), asked(turns), origin());
    const mark = element("div", { class: "sheet-mark" }, element("p", { text: t("report.mark") }));
    if (language() !== "en") mark.append(element("p", { lang: "en", dir: "ltr", text: inEnglish("report.mark") }));
    return element("article", { class: "sheet" }, mark, body);
}

/** The answers that the report rests on, with the doctor's word on each. */
function asked(turns) {
    const whole = turns.filter((turn) => turn.answer && turn.id);
    const list = element("dl", { class: "sheet-asked" });
    for (const turn of whole) {
        const one = element("div", {}, element("dt", { dir: "auto", text: turn.question }), element("dd", { dir: "auto", text: turn.answer }));
        if (turn.verdict) one.append(element("dd", { class: "word", dir: "auto", text: word(turn.verdict) }));
        one.append(element("dd", { class: "sheet-id" }, `${t("about.id")}: `, spelled(turn.id)));
        list.append(one);
    }
    return element("section", {}, element("h2", { text: t("report.asked") }), list);
}

/** A doctor's word as a sentence of its own: the button's label ends in an ellipsis, which his answer takes the place of. */
function word({ verdict, answer }) {
    return answer ? `${t("feedback.answer").replace(/\s*…$/, "")}: ${answer}` : t(`feedback.${verdict}`);
}

/** The code binds this print to the audit, so it is asked for when there is one. */
async function withCode(host) {
    const code = $("report-code");
    code.src = `${host.path}/qr?${Date.now()}`;
    await code.decode().catch(() => {});
}

function origin() {
    const { model, bundle, notice, version } = service();
    const lines = [`${model} · EdgeKit ${version}`, bundle, moment(new Date().toISOString())].filter(Boolean);
    const words = element("div", {}, ...lines.map((text) => element("p", { dir: "ltr", text })), element("p", { lang: "en", dir: "ltr", text: notice || "" }));
    return element("div", { class: "sheet-origin" }, element("img", { class: "qr", id: "report-code", alt: t("report.qr") }), words);
}
