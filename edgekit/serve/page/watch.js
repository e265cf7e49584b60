/* Whether the case on the screen may stay there: nobody need touch the page when it is taken back, or deleted elsewhere. */

import { get } from "./api.js";

const EVERY_MS = 10000;
let timer = 0;
let watched = null; // {path, told}
let looking = null;

/** Look now and then, and whenever the page comes back into sight: `told(access)`, null where the case is gone. */
export function watch(path, told) {
    unwatch();
    watched = { path, told };
    timer = setTimeout(look, EVERY_MS);
}

export function unwatch() {
    clearTimeout(timer);
    looking?.abort();
    watched = null;
}

/** Look at nothing while `work` takes the case away by its reader's own hand. */
export async function aside(work) {
    const mine = watched;
    unwatch();
    try {
        return await work();
    } catch (error) {
        if (mine && !watched) watch(mine.path, mine.told);
        throw error;
    }
}

/** Look at once. A link that is broken says nothing of the case. */
export async function look() {
    const mine = watched;
    if (!mine || document.visibilityState !== "visible") return; // nobody sees it, and coming back looks anew
    looking = new AbortController();
    const access = await get(`${mine.path}/access`, { signal: looking.signal }).then(
        (document) => document.access,
        (error) => (error.code === "not_found" ? null : undefined),
    );
    if (mine !== watched) return;
    clearTimeout(timer);
    timer = setTimeout(look, EVERY_MS);
    if (access !== undefined) mine.told(access);
}

document.addEventListener("visibilitychange", look);
