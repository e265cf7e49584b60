/* One conversation: opened, begun, asked in, taken up where its link broke, labelled, deleted. */

import { get, send } from "./api.js";
import * as asking from "./ask.js";
import { rest, stayAwake } from "./awake.js";
import { drop, reload, select } from "./cases.js";
import { confirmDelete, openDetails } from "./details.js";
import { $, closeDialogs, hush, menu, say, show } from "./dom.js";
import { Answer } from "./events.js";
import { explain } from "./explain.js";
import { language, onLanguage, t } from "./language.js";
import { close as closeReport, openReport } from "./report.js";
import { session } from "./session.js";
import { openShares } from "./share.js";
import { addTurn, drawThread, isOpen, redraw, toEnd } from "./thread.js";
import * as viewer from "./viewer.js";
import { look, unwatch, watch } from "./watch.js";

let current = null; // {id, document, images, answers, running}

export function start() {
    asking.start({
        ensure,
        ask,
        stop,
        added: (picture) => (keep(picture), viewer.look(picture.id), drawState()),
        removed,
        look: viewer.look,
        path,
        hasPictures: () => current.images.size > 0,
    });
    viewer.start({ path, images: () => current.images, masked });
    menu($("open-more"), $("more"));
    $("open-details").addEventListener("click", () => openDetails(current.document, path(), drawState));
    $("open-shares").addEventListener("click", () => openShares(path()));
    $("open-report").addEventListener("click", () => openReport(reporting()));
    $("open-delete").addEventListener("click", () => confirmDelete(path()));
    onLanguage(() => current && (drawState(), redraw(current.turns)));
}

const path = () => `api/conversations/${current.id}`;

/** Forget the conversation that is open; its answers go on without this page. */
export function close() {
    unwatch();
    for (const answer of current?.answers || []) answer.close();
    while (current?.running) rest(), (current.running -= 1);
    current = null;
    asking.busy(false);
    asking.reset();
    $("thread").replaceChildren();
    $("title").textContent = "";
    $("referring").textContent = "";
    viewer.clear();
}

/** Show an empty page for a new case. Nothing is kept of it before a picture or a question is there. */
export function begin() {
    close();
    take({ id: null, label: "", title: "", referring_question: "", report: "", access: "own", turns: [], images: [], shares: [] });
    asking.focus();
}

/** Open a conversation as the service has it. */
export async function open(id) {
    if (current?.id === id) return;
    close();
    select(id);
    try {
        const document = await get(`api/conversations/${id}`);
        take(document);
    } catch (error) {
        if (error.status === 401) return;
        begin();
        asking.warn(error.status === 404 ? t("error.gone") : explain(error));
    }
}

function take(document) {
    current = { id: document.id, document, turns: [], images: new Map(), answers: new Set(), running: 0 };
    for (const picture of document.images) current.images.set(picture.id, picture);
    asking.reset();
    current.turns = drawThread(document.turns, context());
    for (const view of current.turns) if (isOpen(view.turn)) follow(view, (answer) => answer.takeUp(view.turn.id));
    viewer.clear();
    const last = document.turns.flatMap((turn) => turn.pictures).at(-1) || document.images.at(-1)?.id;
    if (last) viewer.look(last, false);
    select(document.id);
    drawState();
    toEnd(true); // pictures beside it make it longer
    if (document.id) watchThis();
}

/** What is told of this case while another is open is no news of that. */
function watchThis() {
    const watched = current;
    watch(path(), (access) => watched === current && allowed(access));
}

/** What may be done in the case that is open, as the service says now; null: nothing, it is not there any more. */
function allowed(access) {
    if (access === null) return withdrawn();
    if (access === current.document.access) return;
    current.document.access = access;
    drawState();
    redraw(current.turns);
}

/** Show nothing more of a case that was taken back, or deleted elsewhere, wherever it stands. */
function withdrawn() {
    const { id } = current;
    closeReport();
    closeDialogs();
    hush();
    begin();
    drop(id);
    if (location.hash === `#conversation=${id}`) history.replaceState(null, "", location.pathname + location.search);
    asking.warn(t("case.withdrawn"));
}

function context() {
    const { document } = current;
    return {
        path: path(),
        me: session()?.account?.name || "",
        get mayAsk() {
            return document.access !== "read";
        },
        look: viewer.look,
        intoReport: (text) => openReport(reporting(), text),
        again: (question) => ask(question, []).catch((error) => asking.warn(explain(error))),
    };
}

/** Draw what depends on how much of the conversation there is. */
function drawState() {
    const { document, turns, images } = current;
    const isNew = !turns.length && !images.size && asking.isEmpty();
    const own = document.access === "own";
    $("title").textContent = document.label || document.title || t("cases.new");
    $("referring").textContent = document.referring_question ? t("details.referring.shown", { question: document.referring_question }) : "";
    show($("referring"), Boolean(document.referring_question));
    show($("welcome"), isNew);
    show($("tools"), true);
    show($("open-report"), turns.length > 0);
    show($("open-more"), own);
    show($("open-shares"), Boolean(document.id && session()?.account));
    show($("open-delete"), Boolean(document.id));
    show($("ask"), document.access !== "read");
    show($("read-only"), document.access === "read");
    asking.suggest(!turns.length && images.size > 0 && document.access !== "read");
}

/** Make the conversation that is new so far; its path. Calls at the same time make one. */
async function ensure() {
    const made = current;
    if (!made.id) {
        made.making ||= send("POST", "api/conversations", { label: made.document.label, referring_question: made.document.referring_question });
        const document = await made.making.finally(() => (made.making = null));
        Object.assign(made.document, document);
        made.id = document.id;
        if (made === current) {
            history.replaceState(null, "", `#conversation=${document.id}`);
            watchThis();
        }
        reload().then(() => select(current?.id));
    }
    return `api/conversations/${made.id}`;
}

function keep(picture) {
    current.images.set(picture.id, picture);
}

/** A picture was masked: the one before is gone, unless it was asked about. */
function masked(id, picture) {
    keep(picture);
    asking.replacePicture(id, picture);
    viewer.look(picture.id);
    if (current.turns.some((view) => view.turn.pictures.includes(id))) return;
    current.images.delete(id);
    viewer.forget(id);
}

async function removed(id) {
    current.images.delete(id);
    viewer.forget(id);
    drawState();
    await send("DELETE", `${path()}/images/${id}`).catch(() => {}); // expires with the case otherwise
}

/** Ask, and resolve with the answer's last state; throws where the question did not reach the service. */
async function ask(text, pictures, begun = () => {}) {
    await ensure();
    const turn = { id: "", question: text, pictures, answer: "", state: "waiting", notes: [] };
    const view = addTurn(turn, context());
    current.turns.push(view);
    drawState();
    return follow(view, (answer) => answer.ask({ text, images: pictures, language: language() }), begun);
}

function follow(view, begin, begun = () => {}) {
    const owner = current;
    return new Promise((resolve, reject) => {
        const done = (state) => {
            owner.answers.delete(answer);
            if (owner.running) rest(), (owner.running -= 1);
            if (owner !== current) return resolve(state);
            asking.busy(owner.answers.size > 0);
            if (state !== "unsent") reload().then(() => select(current?.id)), resolve(state);
        };
        const answer = new Answer(`api/conversations/${owner.id}`, {
            turn: (turn) => (begun(), view.show(turn), view.stopping && stopTurn(view, owner)),
            place: (place) => view.place(place),
            text: (piece) => view.write(piece),
            end: (turn) => (view.end(turn), owner === current && title(turn), done(turn.state)),
            failure: (error) => (view.fail(error), done("failed"), look()),
            unsent: (error) => unsent(error, view, owner, done, reject),
            link,
        });
        owner.answers.add(answer);
        owner.running += 1;
        stayAwake();
        asking.busy(true);
        begin(answer);
    });
}

function title(turn) {
    current.document.title ||= turn.question;
    drawState();
}

/** The service never spoke of a question: it has not come, or the link broke just before the first word of it. */
async function unsent(error, view, owner, done, reject) {
    view.element.remove();
    owner.turns = owner.turns.filter((other) => other !== view);
    done("unsent");
    const document = error.status ? null : await get(path()).catch(() => null);
    const last = document?.turns.at(-1);
    if (owner !== current) return; // somebody has gone elsewhere meanwhile
    if (error.status === 404) look();
    if (last && document.turns.length > owner.turns.length && last.question === view.turn.question) return take(document);
    drawState();
    reject(error);
}

let isLinked = true;

function link(is) {
    if (is === isLinked) return;
    isLinked = is;
    $("link").textContent = t("link.lost");
    show($("link"), !is);
    if (is) say(t("link.back"));
}

function stop() {
    for (const view of current.turns.filter((view) => isOpen(view.turn))) {
        view.stopping = true;
        if (view.turn.id) stopTurn(view, current);
    }
}

function stopTurn(view, owner) {
    view.stopping = false;
    send("DELETE", `api/conversations/${owner.id}/messages/${view.turn.id}`).catch((error) => asking.warn(explain(error)));
}

function reporting() {
    const shown = current;
    return {
        document: shown.document,
        path: path(),
        turns: shown.turns.map((view) => view.turn),
        images: [...shown.images.values()],
        mayChange: shown.document.access !== "read",
        ask: (text) => ask(text, []),
        turnsNow: () => shown.turns.map((view) => view.turn),
    };
}
