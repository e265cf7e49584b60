/* What tells an answer from all others: its ID, by which the audit knows it, and what wrote it when. */

import { element, iconButton, say, show } from "./dom.js";
import { moment, t } from "./language.js";

const GROUP = 4;

/** An ID as it is read out over the phone, a few letters at a time; copied, it is whole. */
export function spelled(id) {
    const parts = id.match(new RegExp(`.{1,${GROUP}}`, "g")) || [];
    return element("code", { class: "id", dir: "ltr" }, ...parts.map((part) => element("span", { text: part })));
}

/** The button below an answer, and the box that it opens. */
export function about(turn) {
    const box = element("div", { class: "about", hidden: true });
    const toggle = (event) => {
        show(box, box.hidden);
        event.currentTarget.setAttribute("aria-expanded", String(!box.hidden));
        if (!box.hidden) box.scrollIntoView({ block: "nearest" });
    };
    const list = element("dl", {}, element("dt", { text: t("about.id") }), element("dd", {}, spelled(turn.id), ...copying(turn.id)));
    list.append(element("dt", { text: t("about.written") }), element("dd", { text: moment(turn.created) }));
    list.append(element("dt", { text: t("about.bundle") }), element("dd", {}, element("code", { dir: "ltr", text: turn.bundle.slice(0, 16) })));
    box.append(list, element("p", { class: "small", text: t("about.hint") }));
    return [iconButton("info", t("about.title"), toggle, { "aria-expanded": "false" }), box];
}

function copying(id) {
    const copy = async () => {
        await navigator.clipboard.writeText(id);
        say(t("turn.copied"));
    };
    return navigator.clipboard ? [iconButton("copy", t("about.copy"), copy)] : [];
}
