/* The archive for help from afar: what is in it is shown first, and just that is what is kept then. */

import { request } from "./api.js";
import { button, dialog, element, icon } from "./dom.js";
import { explain } from "./explain.js";
import { size, t } from "./language.js";

/** Have the service gather it, show what it holds, and keep it where its reader wants that. */
export function openSupport() {
    return dialog(t("support.title"), async (body, close) => {
        const state = element("p", { class: "small", role: "status", text: t("support.gathering") });
        body.append(element("p", { text: t("support.lead") }), state);
        try {
            const response = await request("GET", "api/support");
            const { name, files } = JSON.parse(response.headers.get("x-archive"));
            const content = await response.blob();
            const keep = () => (save(content, name), close(null));
            const press = element("button", { type: "button", class: "primary", on: { click: keep } }, icon("down"), t("support.keep"));
            state.textContent = `${name}, ${size(content.size)}`;
            state.dir = "ltr";
            body.append(table(files), element("div", { class: "buttons" }, press, button("secondary", t("cancel"), () => close(null))));
            press.focus();
        } catch (error) {
            state.replaceWith(element("p", { class: "warning", role: "alert", text: explain(error) }));
        }
    }, { closeLabel: t("close") });
}

/** The service describes its files in English. */
function table(files) {
    const cell = (text, properties) => element("td", { text, ...properties });
    const rows = files.map(({ name, bytes, what }) => element("tr", {}, cell(name), cell(what), cell(size(bytes), { class: "number" })));
    return element("div", { class: "contents", tabindex: "0" }, element("table", { lang: "en", dir: "ltr" }, element("tbody", {}, ...rows)));
}

function save(content, name) {
    const address = URL.createObjectURL(content);
    element("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000); // behind the browser's own question of where
}
