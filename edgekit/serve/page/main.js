/* The page: what the address names is shown, to whoever may see it. */

import { closeAdmin, openAdmin } from "./admin.js";
import * as asking from "./ask.js";
import { whenIdle } from "./awake.js";
import * as open from "./case.js";
import * as cases from "./cases.js";
import { $, closeDialogs, show } from "./dom.js";
import { preferred, use } from "./language.js";
import { close as closeReport } from "./report.js";
import * as samples from "./samples.js";
import { begin, lock, session } from "./session.js";

let isIn = false;
let who = ""; // the account that is in
let put = null; // what was being written when its writer was signed out: for nobody else

async function route() {
    if (!isIn) return;
    const address = new URLSearchParams(location.hash.slice(1));
    closeReport();
    closeAdmin();
    closeDialogs();
    side(false);
    if (address.has("admin") && session()?.account?.role === "admin") openAdmin();
    else if (address.get("conversation")) await open.open(address.get("conversation"));
    else open.begin();
}

async function entered(session) {
    if (isIn) return;
    isIn = true;
    who = session.account?.name || "";
    whenIdle(session.account ? session.idle_s : 0, lock);
    cases.reload();
    samples.offer();
    await route();
    if (put?.text && put.name === who && put.hash === location.hash) asking.putBack(put.text);
    put = null;
}

function left() {
    if (isIn) put = { name: who, hash: location.hash, text: asking.draft() };
    isIn = false;
    whenIdle(0, lock);
    closeReport();
    closeAdmin();
    closeDialogs();
    open.close();
    cases.clear();
}

/** On a small screen the list of cases lies over the page when it is asked for. */
function side(is) {
    document.body.classList.toggle("listing", is);
    $("side-open").setAttribute("aria-expanded", String(is));
    show($("shade"), is);
}

function start() {
    cases.start();
    open.start();
    addEventListener("hashchange", route);
    $("new-case").addEventListener("click", () => (location.hash.length > 1 ? (location.hash = "") : route()));
    $("open-admin").addEventListener("click", () => (location.hash = "admin"));
    $("side-open").addEventListener("click", () => (side(true), $("side-close").focus()));
    $("side-close").addEventListener("click", () => (side(false), $("side-open").focus()));
    $("shade").addEventListener("click", () => side(false));
    $("skip").addEventListener("click", (event) => (event.preventDefault(), $("question").focus()));
    $("side").addEventListener("keydown", (event) => event.key === "Escape" && side(false));
}

await use(preferred());
start();
await begin(entered, left);
