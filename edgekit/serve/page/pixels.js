/* A frame of a picture as the service sends it: 16-bit greys, or colours of 8 bits. The last ones are kept. */

import { request } from "./api.js";

const KEPT_BYTES = 96 * 2 ** 20;

export class Frames {
    constructor() {
        this.kept = new Map(); // by address, the latest last
        this.bytes = 0;
    }

    /** A frame at most `side` pixels large, 0 for all there is: `{width, height, values}` or `{width, height, colours}`. */
    async frame(path, picture, frame, side, signal) {
        const query = new URLSearchParams();
        if (side) query.set("side", side);
        if (picture.frames > 1) query.set("frame", frame);
        const address = `${path}/images/${picture.id}${picture.colour ? "" : "/pixels"}?${query}`;
        const kept = this.kept.get(address);
        if (kept) {
            this.kept.delete(address);
            this.kept.set(address, kept);
            return kept;
        }
        const response = await request("GET", address, { signal });
        const made = picture.colour ? await colours(response) : await greys(response);
        this.keep(address, made);
        return made;
    }

    keep(address, made) {
        this.kept.set(address, made);
        this.bytes += (made.values || made.colours).byteLength;
        for (const [old, frame] of this.kept) {
            if (this.bytes <= KEPT_BYTES || old === address) break;
            this.kept.delete(old);
            this.bytes -= (frame.values || frame.colours).byteLength;
        }
    }

    clear() {
        this.kept.clear();
        this.bytes = 0;
    }
}

async function greys(response) {
    const facts = JSON.parse(response.headers.get("x-picture"));
    const values = new Uint16Array(await response.arrayBuffer());
    return { ...facts, values, window: { center: facts.center, width: facts.width_of_window } };
}

async function colours(response) {
    const bitmap = await createImageBitmap(await response.blob());
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    return { width, height, colours: data, invert: false, window: { center: 128, width: 256 } };
}
