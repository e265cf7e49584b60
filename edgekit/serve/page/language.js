/* The page's words: a file a language, English behind each, and dates as the reader writes them. */

import { $ } from "./dom.js";

export const LANGUAGES = { en: "English", fr: "Français", pt: "Português", sw: "Kiswahili", ar: "العربية" };

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
let code = "en";
let texts = {};
let english = {};
let reviewed = true;
const listeners = [];

async function load(name) {
    const response = await fetch(`page/languages/${name}.json`, { credentials: "same-origin" });
    if (!response.ok) throw new Error(`The words of ${name} are missing`);
    return response.json();
}

/** The language to begin with: the one chosen on this device, else the browser's first that is here. */
export function preferred() {
    const wanted = [stored(), ...navigator.languages].filter(Boolean).map((tag) => tag.toLowerCase().split("-")[0]);
    return wanted.find((tag) => tag in LANGUAGES) || "en";
}

function stored() {
    try {
        return localStorage.getItem("language");
    } catch {
        return null; // a browser that keeps nothing
    }
}

export async function use(name, remember = false) {
    const wanted = name in LANGUAGES ? name : "en";
    const [own, base] = await Promise.all([load(wanted), Object.keys(english).length ? null : load("en")]);
    if (base) english = base.texts;
    [code, texts, reviewed] = [wanted, own.texts, own.reviewed];
    document.documentElement.lang = wanted;
    document.documentElement.dir = own.dir;
    if (remember) {
        try {
            localStorage.setItem("language", wanted);
        } catch {
            /* chosen for now alone */
        }
    }
    apply(document);
    for (const listener of listeners) listener();
}

export const language = () => code;
export const isReviewed = () => reviewed;
export const onLanguage = (listener) => listeners.push(listener);

/** A text by its key, with `{name}` replaced by `values`; of several forms the one that goes with the number `count`. */
export function t(key, values = {}) {
    const text = texts[key] ?? english[key] ?? key;
    if (typeof text === "string") return fill(text, values);
    return fill(text[new Intl.PluralRules(code).select(values.count)] ?? text.other, { ...values, count: number(values.count) });
}

export const has = (key) => key in texts || key in english;

/** The same in English, which is what the model is asked in where it knows nothing else. */
export function inEnglish(key, values = {}) {
    return fill(english[key] ?? key, values);
}

function fill(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** Write the texts of elements that name a key. */
export function apply(root) {
    for (const target of root.querySelectorAll("[data-i18n]")) target.textContent = t(target.dataset.i18n);
    for (const target of root.querySelectorAll("[data-i18n-label]")) {
        const label = t(target.dataset.i18nLabel);
        target.setAttribute("aria-label", label);
        if (target.tagName === "BUTTON") target.title = label;
    }
    for (const target of root.querySelectorAll("[data-i18n-placeholder]")) target.placeholder = t(target.dataset.i18nPlaceholder);
}

/** The notice of intended use, which is always in sight, and what there is to say of a translation. */
export function showNotice(bundleNotice) {
    $("notice-draft").textContent = t("notice.draft");
    $("notice-bundle").textContent = bundleNotice || "";
    $("notice-english").textContent = inEnglish("notice.draft");
    $("notice-english").hidden = reviewed;
    $("unreviewed").textContent = t("notice.unreviewed");
    $("unreviewed").hidden = reviewed;
}

/** A day and time in the reader's own zone; of today the time alone. */
export function when(iso) {
    const isToday = new Date(iso).toDateString() === new Date().toDateString();
    return isToday ? new Intl.DateTimeFormat(code, { timeStyle: "short" }).format(new Date(iso)) : moment(iso);
}

/** The same of today, too: for paper. */
export function moment(iso) {
    return new Intl.DateTimeFormat(code, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export function day(iso) {
    return new Intl.DateTimeFormat(code, { dateStyle: "long" }).format(new Date(iso));
}

export function number(value, digits = 0) {
    return new Intl.NumberFormat(code, { maximumFractionDigits: digits }).format(value);
}

/** About how long something takes. */
export function duration(seconds) {
    const [unit, count] = seconds < 90 ? ["second", Math.max(1, Math.round(seconds))] : ["minute", Math.round(seconds / 60)];
    return new Intl.NumberFormat(code, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** A number of bytes in the unit that goes with it, as the commands say it, too. */
export function size(bytes) {
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
    const count = bytes / 1024 ** power;
    return t(`size.${UNITS[power]}`, { size: number(count, power && count < 100 ? 1 : 0) });
}
