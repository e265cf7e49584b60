/* Who sits before the page: sign-in, the first one by a link, the quick lock, and the account's own settings. */

import { get, send, setCsrf, whenSignedOut } from "./api.js";
import { $, button, closeDialogs, dialog, element, hush, show } from "./dom.js";
import { explain } from "./explain.js";
import { LANGUAGES, isReviewed, language, onLanguage, showNotice, t, use } from "./language.js";

let current = null; // the service's document of the session
let enter = () => {};
let leave = () => {};
let expected = ""; // who has just changed a password, and is to give it
let shown = null; // what draws the gate
let drawn = () => {}; // draws the gate that is shown, again in another language

export const session = () => current;
export const service = () => current?.service || {};

/** Begin: `entered(session)` is called whenever somebody may use the page, `left()` when nobody may any more. */
export async function begin(entered, left) {
    [enter, leave] = [entered, left];
    whenSignedOut(() => refresh());
    addEventListener("hashchange", () => invitation() && refresh());
    onLanguage(() => {
        showNotice(service().notice);
        drawn();
    });
    $("lock").addEventListener("click", lock);
    $("open-account").addEventListener("click", openAccount);
    await refresh();
}

let refreshing = null;

/** Ask the service who we are, and show what that allows. */
export function refresh() {
    refreshing ||= get("api/session", { quiet: true })
        .then(take, gateUnreachable)
        .finally(() => (refreshing = null));
    return refreshing;
}

async function take(document) {
    const before = current;
    current = document;
    if (document.signed_in) expected = "";
    setCsrf(document.csrf);
    showNotice(document.service.notice);
    const own = document.account?.language;
    if (own && own in LANGUAGES && own !== language()) await use(own, true);
    if (invitation()) return gate(drawInvitation);
    if (document.locked) return gate(drawLocked);
    if (document.sign_in_needed && !document.signed_in) return gate(drawSignIn);
    if (before && before.account?.name !== document.account?.name) leave();
    shown = null;
    show($("gate"), false);
    $("gate").replaceChildren();
    show($("app"), true);
    show($("lock"), Boolean(document.account));
    show($("open-admin"), document.account?.role === "admin");
    $("account-name").textContent = document.account?.name || t("account.none");
    drawn = () => ($("account-name").textContent = document.account?.name || t("account.none"));
    enter(document);
}

function gateUnreachable() {
    gate(drawUnreachable);
}

function drawUnreachable(box) {
    const again = button("primary", t("again"), () => refresh());
    box.append(element("h1", { text: t("error.title") }), element("p", { text: t("error.unreachable") }), again);
}

const invitation = () => new URLSearchParams(location.hash.slice(1)).get("invitation");

/** Show a form in place of everything: nothing of a patient stays on the screen, nor in the document. */
function gate(draw) {
    const box = $("gate");
    if (draw === shown && !box.hidden) return; // somebody may be writing in it
    shown = draw;
    leave();
    closeDialogs();
    hush();
    drawn = () => {
        const card = element("div", { class: "gate-card" });
        card.append(element("p", { class: "brand" }, element("img", { src: "page/icon.svg", width: 28, height: 28, alt: "" }), " EdgeKit"));
        draw(card);
        card.append(languages());
        box.replaceChildren(card);
    };
    drawn();
    show($("app"), false);
    show(box, true);
    [...box.querySelectorAll("input:not([readonly])")].find((input) => !input.value)?.focus();
}

function languages() {
    const choose = (event) => use(event.target.value, true);
    const options = Object.entries(LANGUAGES).map(([code, name]) =>
        element("option", { value: code, text: name, lang: code, selected: code === language() }),
    );
    return element("label", { class: "language" }, element("span", { text: t("language") }), element("select", { on: { change: choose } }, ...options));
}

/** A form of fields with one button; `submit` gets their values, and what it fails of is said in the form. */
function form(fields, label, submit) {
    const problem = element("p", { class: "warning", role: "alert", hidden: true });
    const press = element("button", { type: "submit", class: "primary", text: label });
    const made = element("form", { class: "fields" });
    for (const [name, text, properties] of fields) {
        const input = element("input", { name, id: `field-${name}`, required: true, ...properties });
        made.append(element("label", { for: `field-${name}`, text }), input);
    }
    made.append(problem, press);
    made.addEventListener("submit", async (event) => {
        event.preventDefault();
        press.disabled = true;
        problem.hidden = true;
        try {
            await submit(Object.fromEntries(new FormData(made)));
        } catch (error) {
            problem.textContent = error instanceof Error ? explain(error) : String(error);
            problem.hidden = false;
            made.querySelector("input[type=password]")?.select();
        } finally {
            press.disabled = false;
        }
    });
    return made;
}

const PASSWORD = { type: "password", autocomplete: "current-password", maxlength: 1000 };
const NEW_PASSWORD = { type: "password", autocomplete: "new-password", minlength: 10, maxlength: 1000 };

function drawSignIn(box) {
    const name = { autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: 200, dir: "auto", value: expected };
    const fields = [["name", t("signIn.name"), name], ["password", t("signIn.password"), PASSWORD]];
    box.append(element("h1", { text: t("signIn.title") }));
    if (expected) box.append(element("p", { role: "status", text: t("password.changed") }));
    if (current.accounts === false) return box.append(element("p", { text: t("signIn.noAccounts") }));
    box.append(form(fields, t("signIn.do"), async (values) => take(await send("POST", "api/session", values, { quiet: true }))));
    box.append(element("p", { class: "small", text: t("signIn.help") }));
}

function drawInvitation(box) {
    const fields = [["password", t("password.new"), NEW_PASSWORD], ["repeated", t("password.repeat"), NEW_PASSWORD]];
    box.append(element("h1", { text: t("invitation.title") }), element("p", { text: t("invitation.lead") }));
    const accept = async ({ password, repeated }) => {
        if (password !== repeated) throw t("password.differ");
        const document = await send("POST", "api/invitation", { secret: invitation(), password }, { quiet: true });
        history.replaceState(null, "", location.pathname + location.search);
        await take(document);
    };
    box.append(form(fields, t("signIn.do"), accept));
    box.append(button("quiet", t("invitation.have"), () => {
        history.replaceState(null, "", location.pathname + location.search);
        refresh();
    }));
}

function drawLocked(box) {
    const name = current.account?.name || "";
    const hidden = { autocomplete: "username", value: name, readonly: true, dir: "auto" };
    box.append(element("h1", { text: t("lock.title") }));
    const fields = [["name", t("signIn.name"), hidden], ["password", t("signIn.password"), PASSWORD]];
    const unlock = async ({ password }) => take(await send("POST", "api/session/unlock", { password }, { quiet: true }));
    box.append(form(fields, t("lock.open"), unlock));
    box.append(button("quiet", t("lock.other"), signOut));
}

export async function lock() {
    if (current?.account) await end("POST", "api/session/lock");
}

const signOut = () => end("DELETE", "api/session");

/** Take everything from the screen at once, however long the service takes; asking it again shows what a failure left. */
async function end(method, path) {
    leave();
    await send(method, path, undefined, { quiet: true }).catch(() => {});
    await refresh();
}

function openAccount() {
    dialog(current.account?.name || t("account.title"), (body, close) => {
        body.append(languages());
        body.querySelector("select").addEventListener("change", (event) => {
            if (current.account) send("PATCH", "api/account", { language: event.target.value }).catch(() => {});
            close(null);
        });
        if (!isReviewed()) body.append(element("p", { class: "small", text: t("notice.unreviewed") }));
        const facts = [current.service.model, current.service.bundle?.slice(0, 12), current.service.version].filter(Boolean);
        body.append(element("p", { class: "small", dir: "ltr", text: facts.join(" · ") }));
        if (!current.account) return;
        body.append(passwordChange(close));
        body.append(button("secondary", t("account.signOut"), () => close("out")));
    }, { closeLabel: t("close") }).then((choice) => choice === "out" && signOut());
}

function passwordChange(close) {
    const name = { autocomplete: "username", value: current.account.name, readonly: true, dir: "auto" };
    const fields = [["name", t("signIn.name"), name], ["old", t("password.old"), PASSWORD], ["new", t("password.new"), NEW_PASSWORD], ["repeated", t("password.repeat"), NEW_PASSWORD]];
    const change = async (values) => {
        if (values.new !== values.repeated) throw t("password.differ");
        await send("POST", "api/password", { old: values.old, new: values.new }, { quiet: true });
        expected = values.name;
        close(null);
        await refresh();
    };
    return element("details", {}, element("summary", { text: t("password.change") }), form(fields, t("password.do"), change));
}
