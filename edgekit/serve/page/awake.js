/* What a device does by itself: a phone that dims while somebody waits, a shared PC that nobody sits at any more. */

let held = null;
let waiting = 0;

async function hold() {
    if (!waiting || held || document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
        held = await navigator.wakeLock.request("screen");
        held.addEventListener("release", () => (held = null));
        if (!waiting) held.release();
    } catch {
        held = null; // an empty battery; the answer is kept all the same
    }
}

document.addEventListener("visibilitychange", hold);

/** Keep the screen on until as many calls of `rest` have come. */
export function stayAwake() {
    waiting += 1;
    hold();
}

export function rest() {
    waiting = Math.max(0, waiting - 1);
    if (!waiting) held?.release();
}

export const isWaiting = () => waiting > 0;

let idle = 0;
let limitMs = 0;
let act = () => {};

function restart() {
    clearTimeout(idle);
    if (limitMs) idle = setTimeout(() => (isWaiting() ? restart() : act()), limitMs);
}

for (const event of ["pointerdown", "keydown", "wheel"]) addEventListener(event, restart, { passive: true });

/** Call `action` once nobody has touched the page for so many seconds; 0 for never. */
export function whenIdle(seconds, action) {
    [limitMs, act] = [1000 * (seconds || 0), action];
    restart();
}
