/* The doctor's word on an answer: right, wrong, or what the answer is. */

import { send } from "./api.js";
import { element, icon, say } from "./dom.js";
import { explain } from "./explain.js";
import { t } from "./language.js";

/** The buttons below an answer, pressed as the doctor has judged it before. */
export function feedback(turn) {
    const box = element("div", { class: "feedback", role: "group", "aria-label": t("feedback.title") });
    const state = element("span", { class: "feedback-state" });
    const draw = () => {
        const verdict = turn.verdict?.verdict;
        const press = (name, symbol) => {
            const on = { click: () => (name === "answer" ? correct() : give(name)) };
            const properties = { type: "button", class: "verdict", "aria-pressed": String(verdict === name), on };
            return element("button", properties, icon(symbol), element("span", { text: t(`feedback.${name}`) }));
        };
        box.replaceChildren(press("right", "check"), press("wrong", "close"), press("answer", "pen"), state);
        state.textContent = verdict === "answer" ? turn.verdict.answer : "";
        state.dir = "auto";
    };
    const give = async (verdict, answer) => {
        try {
            await send("POST", "api/feedback", { turn: turn.id, verdict, ...(answer === undefined ? {} : { answer }) });
            turn.verdict = { verdict, answer: answer || "" };
            draw();
            box.querySelector("[aria-pressed=true]")?.focus();
            say(t("feedback.kept"));
        } catch (error) {
            state.textContent = explain(error);
            say(state.textContent);
        }
    };
    const correct = () => {
        const input = element("input", { type: "text", name: "answer", dir: "auto", maxlength: 4000, required: true });
        input.setAttribute("aria-label", t("feedback.answer"));
        input.value = turn.verdict?.answer || "";
        const form = element("form", { class: "correction" }, input);
        form.append(element("button", { type: "submit", class: "primary small-button", text: t("feedback.keep") }));
        form.append(element("button", { type: "button", class: "quiet", text: t("cancel"), on: { click: draw } }));
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            give("answer", input.value.trim());
        });
        form.addEventListener("keydown", (event) => event.key === "Escape" && draw());
        box.replaceChildren(form);
        input.focus();
    };
    draw();
    return box;
}
