/* Elements made and looked up. What others wrote becomes text here, never markup. */

export const $ = (id) => document.getElementById(id);

/** Make an element: `properties` are attributes, but `on` (listeners by name), `text`, and those that are false. */
export function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (value === false || value === null || value === undefined) continue;
        if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
        else if (name === "text") made.textContent = value;
        else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return made;
}

export function icon(name) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(space, "use");
    use.setAttribute("href", `#i-${name}`);
    svg.append(use);
    return svg;
}

/** A button that shows an icon alone; its name is for screen readers and whoever points at it. */
export function iconButton(name, label, action, properties = {}) {
    const on = { click: action };
    return element("button", { type: "button", class: "icon-button", "aria-label": label, title: label, on, ...properties }, icon(name));
}

export function button(kind, label, action, properties = {}) {
    return element("button", { type: "button", class: kind, text: label, on: { click: action }, ...properties });
}

export function show(target, visible) {
    target.hidden = !visible;
}

/** Have a button open a box of further ones, which closes by itself. */
export function menu(opener, box) {
    const open = (is) => {
        show(box, is);
        opener.setAttribute("aria-expanded", String(is));
    };
    opener.addEventListener("click", () => {
        open(box.hidden);
        if (!box.hidden) box.querySelector("button:not([hidden])").focus();
    });
    box.addEventListener("click", () => open(false));
    const outside = (event) => !box.hidden && !box.contains(event.target) && !opener.contains(event.target) && open(false);
    document.addEventListener("pointerdown", outside);
    box.addEventListener("focusout", (event) => event.relatedTarget && outside({ target: event.relatedTarget }));
    box.addEventListener("keydown", (event) => {
        const buttons = [...box.querySelectorAll("button:not([hidden])")];
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") return open(false), opener.focus();
        if (!step) return;
        event.preventDefault();
        buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
    });
}

let speaking = 0;

/** Have a screen reader say something, once. */
export function say(text) {
    hush();
    speaking = setTimeout(() => ($("live").textContent = text), 60);
}

/** Say nothing any more, and keep nothing of what was said. */
export function hush() {
    clearTimeout(speaking);
    $("live").textContent = "";
}

/** Ask in a dialog; `fill` gets the dialog and what closes it. Resolves with what it was closed with. */
export function dialog(title, fill, { closeLabel }) {
    return new Promise((resolve) => {
        const heading = element("h2", { id: "dialog-title", text: title, tabindex: "-1" });
        const box = element("dialog", { class: "dialog", "aria-labelledby": "dialog-title" });
        const close = (value) => {
            box.close();
            box.remove();
            resolve(value);
        };
        const head = element("div", { class: "dialog-head" }, heading, iconButton("close", closeLabel, () => close(null)));
        const body = element("div", { class: "dialog-body" });
        box.append(head, body);
        box.addEventListener("cancel", (event) => {
            event.preventDefault();
            close(null);
        });
        box.addEventListener("pointerdown", (event) => event.target === box && close(null));
        document.body.append(box);
        fill(body, close);
        box.showModal();
        (box.querySelector("[autofocus]") || heading).focus();
    });
}

/** Close whatever dialog is open: its reader has gone. */
export function closeDialogs() {
    for (const open of document.querySelectorAll("dialog")) open.dispatchEvent(new Event("cancel", { cancelable: true }));
}
