/* One picture on a canvas: windowed, zoomed, moved, scrolled through, masked. */

import { element } from "./dom.js";
import { number, t } from "./language.js";
import { paintColour, paintGrey, shadesOf } from "./shades.js";

const MOST_ZOOM = 16;
const REST_MS = 150;
const OPAQUE = { alpha: false };

export class Pane {
    /** `frames` gives pixels (see pixels.js); `hooks` are `changed()`, `failed(error)` and `step(frames)`. */
    constructor(frames, hooks) {
        this.frames = frames;
        this.hooks = hooks;
        this.canvas = element("canvas", { "aria-hidden": "true" });
        this.corner = element("p", { class: "pane-corner", dir: "ltr", "aria-hidden": "true" });
        this.facts = element("p", { class: "pane-facts", dir: "ltr" });
        this.element = element("div", { class: "pane", tabindex: "0", role: "group" }, this.canvas, this.facts, this.corner);
        this.pixels = document.createElement("canvas");
        this.shades = new Uint32Array(65536);
        this.masks = [];
        this.clear();
        new ResizeObserver(() => this.resize()).observe(this.element);
    }

    clear() {
        this.loading?.abort();
        [this.picture, this.loaded, this.frame] = [null, null, 0];
        [this.window, this.inverted] = [null, false];
        this.fit();
        this.masks = [];
        this.draw();
    }

    /** Show a picture's frame; what was set of another picture is set back, of another frame it stays. */
    async load(path, picture, frame) {
        if (this.picture?.id !== picture.id) {
            this.clear();
            this.picture = picture;
        }
        [this.path, this.frame] = [path, frame];
        this.label();
        await this.fetch(this.screenSide());
    }

    async fetch(side) {
        this.loading?.abort();
        const loading = (this.loading = new AbortController());
        this.element.setAttribute("aria-busy", "true");
        try {
            const loaded = await this.frames.frame(this.path, this.picture, this.frame, side, loading.signal);
            if (loading !== this.loading) return;
            this.loaded = loaded;
            [this.pixels.width, this.pixels.height] = [loaded.width, loaded.height];
            this.image = new ImageData(loaded.width, loaded.height);
            if (!this.window) this.reset();
            this.repaint();
        } catch (error) {
            if (error.name !== "AbortError") this.hooks.failed(error);
        } finally {
            if (loading === this.loading) this.element.removeAttribute("aria-busy");
        }
    }

    screenSide() {
        const pixels = Math.max(this.element.clientWidth, this.element.clientHeight) * devicePixelRatio;
        return pixels > 1100 ? 2048 : 1024;
    }

    /** Window, shades, zoom and place as they were in the beginning. */
    reset() {
        this.fit();
        if (!this.loaded) return;
        this.window = { ...this.loaded.window };
        this.inverted = false;
        this.repaint();
    }

    fit() {
        [this.zoom, this.x, this.y] = [1, 0, 0];
    }

    invert() {
        this.inverted = !this.inverted;
        this.repaint();
    }

    /** Change the window by so many pixels of dragging: across its width, down its level. */
    drag(dx, dy) {
        if (!this.window) return;
        const step = Math.max(this.window.width, 16) / 300;
        this.window.width = Math.max(2, this.window.width + dx * step);
        this.window.center += dy * step;
        this.repaint();
    }

    pan(dx, dy) {
        [this.x, this.y] = [this.x + dx, this.y + dy];
        this.redraw();
    }

    /** Zoom by a factor around a point of the element, its middle without one. */
    zoomBy(factor, x = this.element.clientWidth / 2, y = this.element.clientHeight / 2) {
        const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
        const [cx, cy] = [x - this.element.clientWidth / 2 - this.x, y - this.element.clientHeight / 2 - this.y];
        const change = zoom / this.zoom - 1;
        [this.x, this.y, this.zoom] = zoom === 1 ? [0, 0, 1] : [this.x - cx * change, this.y - cy * change, zoom];
        this.redraw();
        this.sharpen();
    }

    /** Fetch all there is of the picture where the screen shows more than what is here. */
    sharpen() {
        if (!this.loaded || this.loaded.width >= this.picture.width) return;
        if (this.place().scale * devicePixelRatio * this.picture.width > 1.1 * this.loaded.width) this.fetch(0);
    }

    /** Where the picture lies in the element: its left upper corner, and CSS pixels a pixel of the original. */
    place() {
        const [wide, high] = [this.element.clientWidth, this.element.clientHeight];
        const { width, height } = this.picture;
        const scale = Math.min(wide / width, high / height) * this.zoom;
        return { left: (wide - width * scale) / 2 + this.x, top: (high - height * scale) / 2 + this.y, scale };
    }

    /** A point of the element as one of the original picture, within it. */
    inPicture(x, y) {
        const { left, top, scale } = this.place();
        const within = (value, most) => Math.round(Math.min(most, Math.max(0, value)));
        return [within((x - left) / scale, this.picture.width), within((y - top) / scale, this.picture.height)];
    }

    resize() {
        this.canvas.width = Math.round(this.element.clientWidth * devicePixelRatio);
        this.canvas.height = Math.round(this.element.clientHeight * devicePixelRatio);
        this.draw();
    }

    repaint() {
        this.stale = true;
        this.redraw();
    }

    /** Draw with the next frame: quickly while something moves, and well once it rests. */
    redraw() {
        this.moving = true;
        clearTimeout(this.settling);
        this.settling = setTimeout(() => {
            this.moving = false;
            this.draw();
        }, REST_MS);
        this.waiting ||= requestAnimationFrame(() => {
            this.waiting = 0;
            this.draw();
        });
    }

    paint() {
        const { loaded, image } = this;
        const inverted = this.inverted !== Boolean(loaded.invert);
        if (loaded.colours) paintColour(loaded.colours, this.window, inverted, image.data);
        else paintGrey(loaded.values, shadesOf(loaded, this.window, inverted, this.shades), new Uint32Array(image.data.buffer));
        this.pixels.getContext("2d", OPAQUE).putImageData(image, 0, 0);
        this.stale = false;
    }

    draw() {
        const context = this.canvas.getContext("2d", OPAQUE);
        context.setTransform(1, 0, 0, 1, 0, 0);
        context.clearRect(0, 0, this.canvas.width, this.canvas.height);
        if (!this.loaded || !this.window) return this.tell();
        if (this.stale) this.paint();
        const { left, top, scale } = this.place();
        context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
        context.imageSmoothingEnabled = scale * this.picture.width < 3 * this.loaded.width;
        context.imageSmoothingQuality = this.moving ? "low" : "high"; // a fifth of the time where no GPU draws
        context.drawImage(this.pixels, left, top, this.picture.width * scale, this.picture.height * scale);
        context.lineWidth = 1;
        context.strokeStyle = "#ffd34d";
        context.fillStyle = "#000";
        for (const [x, y, wide, high] of this.masks) {
            const rectangle = [left + x * scale, top + y * scale, wide * scale, high * scale];
            context.fillRect(...rectangle);
            context.strokeRect(...rectangle);
        }
        this.tell();
    }

    /** Write what is set into the corner. */
    tell() {
        const words = [];
        if (this.picture?.frames > 1) words.push(`${this.frame + 1}/${this.picture.frames}`);
        if (this.window) words.push(`C ${number(this.window.center)}  W ${number(this.window.width)}`);
        if (this.zoom > 1) words.push(`×${number(this.zoom, 1)}`);
        this.corner.textContent = words.join("   ");
        this.hooks.changed?.();
    }

    label() {
        const { facts = {}, width, height } = this.picture;
        const laterality = facts.laterality && facts.laterality !== "U" ? facts.laterality : "";
        const words = [facts.modality, facts.body_part, facts.view, laterality].filter(Boolean);
        this.facts.textContent = words.join(" ") || `${width} × ${height}`;
        this.element.setAttribute("aria-label", `${t("viewer.picture")}: ${this.facts.textContent}. ${t("viewer.keys")}`);
    }
}
