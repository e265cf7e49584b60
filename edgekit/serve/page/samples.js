/* Pictures to try, where the service has some, as a demo's does: a click asks about one. */

import { get, request } from "./api.js";
import { askAbout, warn } from "./ask.js";
import { $, element, show } from "./dom.js";
import { explain } from "./explain.js";

let isTaking = false;

/** Offer each by its picture and its question. */
export async function offer() {
    const { samples } = await get("api/samples", { quiet: true }).catch(() => ({ samples: [] }));
    $("sample-list").replaceChildren(...samples.map(card));
    show($("samples"), samples.length > 0);
    $("welcome").classList.toggle("with-samples", samples.length > 0);
}

function card({ name, question }) {
    const path = `api/samples/${name}`;
    const picture = element("img", { src: path, alt: "", width: 224, height: 224 });
    const words = element("span", { text: question, dir: "auto" });
    return element("li", {}, element("button", { type: "button", class: "sample", on: { click: () => take(path, name, question) } }, picture, words));
}

async function take(path, name, question) {
    if (isTaking) return;
    isTaking = true;
    try {
        const content = await (await request("GET", path)).blob();
        await askAbout(new File([content], `${name}.png`, { type: content.type }), question);
    } catch (error) {
        warn(explain(error));
    } finally {
        isTaking = false;
    }
}
