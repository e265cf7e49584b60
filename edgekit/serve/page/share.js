/* A case handed to colleagues, to read or to ask in, and taken back. */

import { get, send } from "./api.js";
import { button, dialog, element, say } from "./dom.js";
import { explain } from "./explain.js";
import { t } from "./language.js";

export function openShares(path) {
    return dialog(t("share.title"), (body) => {
        const list = element("ul", { class: "shares" });
        const problem = element("p", { class: "warning", role: "alert", hidden: true });
        const name = element("select", { id: "share-name", required: true });
        const ask = element("input", { type: "checkbox", id: "share-ask" });
        const attempt = async (work) => {
            problem.hidden = true;
            try {
                await work();
            } catch (error) {
                problem.textContent = explain(error);
                problem.hidden = false;
            }
        };
        const address = (who) => `${path}/shares/${encodeURIComponent(who)}`;
        const draw = async () => {
            const { shares } = await get(path);
            list.replaceChildren(...shares.map((share) => row(share, () => attempt(async () => {
                await send("DELETE", address(share.name));
                await draw();
                say(t("share.withdrawn"));
            }))));
            if (!shares.length) list.append(element("li", { class: "empty", text: t("share.none") }));
        };
        const form = element("form", { class: "fields" }, element("label", { for: name.id, text: t("share.with") }), name);
        form.append(element("label", { class: "check" }, ask, element("span", { text: t("share.mayAsk") })));
        form.append(problem, element("button", { type: "submit", class: "primary", text: t("share.do") }));
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            attempt(async () => {
                await send("PUT", address(name.value), { may_ask: ask.checked });
                await draw();
                say(t("share.given"));
            });
        });
        body.append(list, form, element("p", { class: "small", text: t("share.noted") }));
        attempt(async () => {
            const { names } = await get("api/colleagues");
            name.replaceChildren(element("option", { value: "" }), ...names.map((text) => element("option", { value: text, text, dir: "auto" })));
            if (!names.length) form.replaceChildren(element("p", { text: t("share.nobody") }));
            await draw();
        });
    }, { closeLabel: t("close") });
}

function row(share, withdraw) {
    const says = element("span", { class: "small", text: t(share.may_ask ? "share.asks" : "share.reads") });
    return element("li", {}, element("span", { dir: "auto", text: share.name }), says, button("secondary small-button", t("share.withdraw"), withdraw));
}
