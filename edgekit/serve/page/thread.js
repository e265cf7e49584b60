/* Questions and answers as they are read. A turn is drawn once and grows; what a model wrote is text, whatever it holds. */

import { about } from "./about.js";
import { $, button, element, iconButton, say, show } from "./dom.js";
import { explain } from "./explain.js";
import { feedback } from "./feedback.js";
import { duration, number, t, when } from "./language.js";

const NEAR_PX = 120;

/** Draw a conversation anew; `context` is `{path, me, images, mayAsk, look, intoReport, again}`. Returns its turns. */
export function drawThread(turns, context) {
    const views = turns.map((turn) => new TurnView(turn, context));
    $("thread").replaceChildren(...views.map((view) => view.element));
    toEnd(true);
    return views;
}

/** Draw the turns that are over in the language that the page has now. */
export function redraw(views) {
    for (const view of views) if (!isOpen(view.turn)) view.show(view.turn);
}

export function addTurn(turn, context) {
    const view = new TurnView(turn, context);
    $("thread").append(view.element);
    toEnd(true);
    return view;
}

/** Keep the end in sight, unless the reader has scrolled away from it. */
export function toEnd(always = false) {
    const scroll = $("scroll");
    if (always || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_PX) scroll.scrollTop = scroll.scrollHeight;
}

export class TurnView {
    constructor(turn, context) {
        this.turn = turn;
        this.context = context;
        this.text = document.createTextNode("");
        this.written = ""; // what came as events, which may begin before what is shown, or go beyond it
        this.answer = element("div", { class: "answer", dir: "auto" }, this.text);
        this.state = element("p", { class: "turn-state" });
        this.foot = element("div", { class: "turn-foot" });
        this.notes = element("ul", { class: "notes" });
        const pictures = element("div", { class: "turn-pictures" });
        for (const id of turn.pictures) pictures.append(this.thumbnail(id));
        this.asked = element("div", { class: "asked" }, pictures, element("p", { class: "question", dir: "auto", text: turn.question }));
        this.by = element("p", { class: "by" });
        const said = element("div", { class: "said" }, this.answer, this.state, this.notes, this.foot);
        this.element = element("article", { class: "turn" }, this.by, this.asked, said);
        this.show(turn);
    }

    thumbnail(id) {
        const source = `${this.context.path}/images/${id}?side=320`;
        const label = t("viewer.look");
        const press = element("button", { type: "button", class: "thumbnail", "aria-label": label, title: label });
        press.append(element("img", { src: source, alt: "", loading: "lazy" }));
        press.addEventListener("click", () => this.context.look(id));
        return press;
    }

    /** Draw what the service says of the turn. */
    show(turn) {
        this.turn = turn;
        this.element.dataset.state = turn.state;
        if (turn.id) this.element.dataset.turn = turn.id;
        const isColleague = turn.by && this.context.me && turn.by !== this.context.me;
        this.by.replaceChildren(element("span", { dir: "auto", text: isColleague ? turn.by : "" }), turn.created ? when(turn.created) : "");
        if (!isOpen(turn) || turn.answer.length > this.text.length) this.text.data = turn.answer;
        const confidence = turn.confidence ? percent(turn.confidence.yes) : "";
        const words = { waiting: t("turn.waiting"), writing: "", whole: confidence, stopped: t("turn.stopped"), failed: t("turn.failed") };
        this.say(words[turn.state] ?? "");
        this.notes.replaceChildren(...(turn.notes || []).map((note) => element("li", { dir: "auto", text: note })));
        this.foot.replaceChildren();
        if (isOpen(turn)) return;
        if (turn.answer && turn.id) this.foot.append(...this.actions(turn));
        else if (this.context.mayAsk) this.foot.append(button("quiet", t("turn.again"), () => this.context.again(turn.question)));
    }

    actions(turn) {
        const copy = async () => {
            await navigator.clipboard?.writeText(turn.answer);
            say(t("turn.copied"));
        };
        const taking = () => iconButton("paper", t("report.take"), () => this.context.intoReport(turn.answer));
        const copying = navigator.clipboard ? [iconButton("copy", t("turn.copy"), copy)] : [];
        const [press, box] = about(turn);
        const tools = element("span", { class: "turn-tools" }, press, ...copying, this.context.mayAsk ? taking() : null);
        return [feedback(turn), tools, box];
    }

    say(text) {
        this.state.textContent = text;
        show(this.state, Boolean(text));
    }

    place({ place, wait_s: wait }) {
        if (place === 0) this.say(t("turn.reading"));
        else this.say(wait ? t("turn.place.wait", { place: number(place), wait: duration(wait) }) : t("turn.place", { place: number(place) }));
        say(this.state.textContent);
    }

    write(piece) {
        if (this.element.dataset.state !== "writing") {
            this.element.dataset.state = "writing";
            this.say("");
        }
        this.written += piece;
        if (this.written.length > this.text.length) this.text.data = this.written;
        toEnd();
    }

    end(turn) {
        this.show(turn);
        say(turn.answer || this.state.textContent);
        toEnd();
    }

    fail(error) {
        this.show({ ...this.turn, state: "failed", answer: this.text.data });
        this.say(explain(error));
        say(explain(error));
        toEnd();
    }
}

export const isOpen = (turn) => turn.state === "waiting" || turn.state === "writing";

function percent(probability) {
    const likelier = probability >= 0.5;
    const figure = Math.round(100 * (likelier ? probability : 1 - probability));
    return t(likelier ? "confidence.yes" : "confidence.no", { percent: number(figure) });
}
