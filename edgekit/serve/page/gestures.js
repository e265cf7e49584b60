/* What hands do to a picture: drag, pinch, turn the wheel, press keys. */

const STEP_PX = 10;

/** Have a pane obey; `tool()` is the one chosen, `focused()` is called when the pane is touched. */
export function obey(pane, tool, focused) {
    const fingers = new Map();
    let mask = null;
    let pinch = 0;
    const target = pane.element;
    const at = (event) => {
        const box = target.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
    };

    target.addEventListener("pointerdown", (event) => {
        focused();
        if (!pane.loaded) return;
        target.setPointerCapture(event.pointerId);
        fingers.set(event.pointerId, at(event));
        pinch = spread(fingers);
        mask = tool() === "mask" && fingers.size === 1 && event.button === 0 ? pane.inPicture(...at(event)) : null;
        if (mask) pane.masks.push([...mask, 0, 0]);
    });

    target.addEventListener("pointermove", (event) => {
        const before = fingers.get(event.pointerId);
        if (!before) return;
        const now = at(event);
        const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
        fingers.set(event.pointerId, now);
        if (fingers.size > 1) {
            const wider = spread(fingers);
            pane.pan(dx / 2, dy / 2);
            pane.zoomBy(wider / (pinch || wider), ...middle(fingers));
            pinch = wider;
        } else if (mask) stretch(pane, mask, pane.inPicture(...now));
        else if (tool() === "pan" || event.shiftKey || event.buttons & 6) pane.pan(dx, dy);
        else if (tool() === "window") pane.drag(dx, dy);
    });

    const lift = (event) => {
        fingers.delete(event.pointerId);
        if (mask) pane.masks = pane.masks.filter(([, , wide, high]) => wide > 1 && high > 1);
        mask = null;
        pane.redraw();
    };
    for (const name of ["pointerup", "pointercancel"]) target.addEventListener(name, lift);
    target.addEventListener("contextmenu", (event) => event.preventDefault());
    target.addEventListener("dblclick", () => tool() !== "mask" && (pane.fit(), pane.redraw()));
    target.addEventListener("focus", focused);

    let turned = 0;
    target.addEventListener("wheel", (event) => {
        event.preventDefault();
        if (!pane.picture) return;
        if (pane.picture.frames > 1 && !event.ctrlKey) {
            turned += event.deltaMode ? 40 * event.deltaY : event.deltaY;
            const frames = Math.trunc(turned / 40);
            turned -= 40 * frames;
            if (frames) pane.hooks.step(Math.sign(frames) * Math.min(Math.abs(frames), 3));
        } else pane.zoomBy(Math.exp(-event.deltaY / 400), ...at(event));
    }, { passive: false });

    target.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.target !== target) return;
        const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        const act = arrow ? () => move(pane, tool(), arrow, event.shiftKey) : keys(pane)[event.key];
        if (!act || !pane.loaded) return;
        event.preventDefault();
        act();
    });
}

function keys(pane) {
    return {
        "+": () => pane.zoomBy(1.25),
        "=": () => pane.zoomBy(1.25),
        "-": () => pane.zoomBy(0.8),
        i: () => pane.invert(),
        r: () => pane.reset(),
        PageUp: () => pane.hooks.step(-1),
        PageDown: () => pane.hooks.step(1),
        Home: () => pane.hooks.step(-pane.picture.frames),
        End: () => pane.hooks.step(pane.picture.frames),
        Delete: () => (pane.masks.pop(), pane.redraw()),
    };
}

/** Arrow keys do what dragging does; of a mask they move the last rectangle, or with Shift its corner. */
function move(pane, tool, [dx, dy], shift) {
    const last = pane.masks.at(-1);
    if (tool === "mask" && last) {
        const { width, height } = pane.picture;
        const step = Math.max(1, Math.round(width / 100));
        const within = (value, least, most) => Math.max(least, Math.min(most, value));
        if (shift) last.splice(2, 2, within(last[2] + dx * step, 2, width - last[0]), within(last[3] + dy * step, 2, height - last[1]));
        else last.splice(0, 2, within(last[0] + dx * step, 0, width - last[2]), within(last[1] + dy * step, 0, height - last[3]));
        pane.redraw();
    } else if (tool === "pan" || shift) pane.pan(-dx * STEP_PX * 2, -dy * STEP_PX * 2);
    else pane.drag(dx * STEP_PX, dy * STEP_PX);
}

function stretch(pane, [x, y], [u, v]) {
    pane.masks[pane.masks.length - 1] = [Math.min(x, u), Math.min(y, v), Math.abs(u - x), Math.abs(v - y)];
    pane.redraw();
}

function spread(fingers) {
    const [a, b] = [...fingers.values()];
    return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
}

function middle(fingers) {
    const [a, b] = [...fingers.values()];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}
