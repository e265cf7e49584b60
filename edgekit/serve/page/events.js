/* An answer as it is written: events read from a stream, and taken up where they were when the link breaks. */

import { Failure, request } from "./api.js";

const SILENCE_MS = 20000; // the service says something every five seconds
const LONGEST_PAUSE_MS = 10000;

/** Yield the events of a response: `{event, id, data}`, data from JSON. `heard` is called for every piece that comes. */
export async function* events(response, heard = () => {}) {
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        heard();
        rest += decoder.decode(value, { stream: true });
        const parts = rest.split(/\r?\n\r?\n/);
        rest = parts.pop();
        for (const part of parts) {
            const event = parsed(part);
            if (event) yield event;
        }
    }
}

function parsed(block) {
    const event = { event: "message", id: 0, data: null };
    const lines = [];
    for (const line of block.split(/\r?\n/)) {
        const colon = line.indexOf(":");
        if (colon < 1) continue; // a comment
        const [field, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
        if (field === "data") lines.push(value);
        else if (field === "event") event.event = value;
        else if (field === "id") event.id = Number(value);
    }
    if (!lines.length) return null;
    event.data = JSON.parse(lines.join("\n"));
    return event;
}

/**
 * Follows one answer to its end.
 *
 * `path` is the conversation's; `handlers` are `turn(document)`, `place(document)`, `text(piece)`, `end(document)`,
 * `failure(error)`, `unsent(error)` for a question of which the service never spoke, and `link(isThere)`.
 */
export class Answer {
    constructor(path, handlers) {
        this.path = path;
        this.handlers = handlers;
        this.turn = null;
        this.offset = 0;
        this.closed = false;
        this.wake = () => {};
        this.heardMs = performance.now();
        this.onReturn = () => {
            if (document.visibilityState !== "visible") return;
            if (performance.now() - this.heardMs > SILENCE_MS / 3) this.reading?.abort(); // a phone that slept
            this.wake();
        };
        addEventListener("online", this.onReturn);
        document.addEventListener("visibilitychange", this.onReturn);
    }

    /** Ask, and follow. */
    ask(question) {
        const path = `${this.path}/messages`;
        return this.follow((signal) => request("POST", path, { body: { stream: true, ...question }, signal }));
    }

    /** Follow a turn that was asked before, by whomever. */
    takeUp(turn) {
        this.turn = turn;
        return this.follow(this.again);
    }

    again = (signal) => request("GET", `${this.path}/messages/${this.turn}/events?offset=${this.offset}`, { signal });

    async follow(open) {
        let pause = 500;
        while (!this.closed) {
            try {
                if (await this.read(open, () => (pause = 500))) return this.close();
                throw new Failure(0, "unreachable", "");
            } catch (error) {
                if (this.closed) return;
                if (!this.turn) return this.unsent(error);
                if (isFinal(error)) return this.fail(error);
            }
            this.handlers.link(false);
            open = this.again;
            await this.rest(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
        }
    }

    async read(open, heard) {
        this.reading = new AbortController();
        const abort = () => this.reading.abort();
        let timer = setTimeout(abort, SILENCE_MS);
        const alive = () => {
            this.heardMs = performance.now();
            clearTimeout(timer);
            timer = setTimeout(abort, SILENCE_MS);
            heard();
        };
        try {
            const response = await open(this.reading.signal);
            this.handlers.link(true);
            let ended = false;
            for await (const event of events(response, alive)) ended ||= !this.closed && this.take(event);
            return ended || this.closed; // read to its end, so that the connection serves again
        } finally {
            clearTimeout(timer);
        }
    }

    /** Take one event; tell whether it was the last. */
    take({ event, id, data }) {
        if (event === "turn") {
            this.turn = data.id;
            this.handlers.turn(data);
        } else if (event === "place") this.handlers.place(data);
        else if (event === "text" && (!id || id > this.offset)) {
            this.offset = id || this.offset + 1;
            this.handlers.text(data.text);
        } else if (event === "end") this.handlers.end(data);
        else if (event === "failure") this.handlers.failure(new Failure(500, data.code, data.message));
        return event === "end" || event === "failure";
    }

    rest(ms) {
        return new Promise((resolve) => {
            this.wake = resolve;
            setTimeout(resolve, ms);
        });
    }

    fail(error) {
        this.close();
        this.handlers.failure(error);
    }

    unsent(error) {
        this.close();
        this.handlers.unsent(error);
    }

    /** Read no further; the answer goes on without. */
    close() {
        this.closed = true;
        removeEventListener("online", this.onReturn);
        document.removeEventListener("visibilitychange", this.onReturn);
        this.reading?.abort();
        this.wake();
    }
}

/** Whether asking again is of no use: the service has understood, and said no. */
function isFinal(error) {
    return error instanceof Failure && error.status >= 400 && error.status < 500 && error.status !== 408;
}
