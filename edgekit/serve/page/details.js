/* What a doctor writes about a case, and its end. */

import { send } from "./api.js";
import { reload } from "./cases.js";
import { button, dialog, element, say } from "./dom.js";
import { explain } from "./explain.js";
import { t } from "./language.js";
import { aside } from "./watch.js";

/** Let the label and the referring doctor's question be written; `changed()` is called once they are kept. */
export function openDetails(conversation, path, changed) {
    return dialog(t("details.title"), (body, done) => {
        const label = element("input", { id: "details-label", maxlength: 200, dir: "auto", autocomplete: "off", autofocus: true });
        const question = element("textarea", { id: "details-referring", rows: 3, maxlength: 4000, dir: "auto" });
        [label.value, question.value] = [conversation.label, conversation.referring_question];
        label.setAttribute("aria-describedby", "details-reminder");
        const problem = element("p", { class: "warning", role: "alert", hidden: true });
        const form = element("form", { class: "fields" }, element("label", { for: label.id, text: t("details.label") }), label);
        form.append(element("p", { class: "small reminder", id: "details-reminder", text: t("names.reminder") }));
        form.append(element("label", { for: question.id, text: t("details.referring") }), question, problem);
        form.append(element("button", { type: "submit", class: "primary", text: t("keep") }));
        form.addEventListener("submit", async (event) => {
            event.preventDefault();
            const change = { label: label.value.trim(), referring_question: question.value.trim() };
            try {
                if (conversation.id) await send("PATCH", path, change);
                Object.assign(conversation, change);
                changed();
                if (conversation.id) reload();
                done(null);
            } catch (error) {
                problem.textContent = explain(error);
                problem.hidden = false;
            }
        });
        body.append(form);
    }, { closeLabel: t("close") });
}

/** Delete a case once its reader has said so twice. */
export function confirmDelete(path) {
    return dialog(t("delete.title"), (body, done) => {
        const problem = element("p", { class: "warning", role: "alert", hidden: true });
        const remove = async () => {
            try {
                await aside(() => send("DELETE", path));
                done(null);
                location.hash = "";
                reload();
                say(t("delete.done"));
            } catch (error) {
                problem.textContent = explain(error);
                problem.hidden = false;
            }
        };
        const buttons = [button("danger", t("delete.do"), remove), button("secondary", t("cancel"), () => done(null))];
        body.append(element("p", { text: t("delete.sure") }), problem, element("div", { class: "buttons" }, ...buttons));
    }, { closeLabel: t("close") });
}
