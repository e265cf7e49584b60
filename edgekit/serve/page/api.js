/* Requests to the service, by addresses relative to the page's own, so that it may lie below any path. */

let csrf = "";
let onSignedOut = () => {};

/** What a request failed of: `code` is the service's, or "unreachable" where nothing answered. */
export class Failure extends Error {
    constructor(status, code, message, retryAfter = 0) {
        super(message);
        this.status = status;
        this.code = code;
        this.retryAfter = retryAfter;
    }
}

export function setCsrf(token) {
    csrf = token || "";
}

/** Call `listener` whenever the service no longer knows who asks. */
export function whenSignedOut(listener) {
    onSignedOut = listener;
}

/** Send a request, and return its response; :class:`Failure` for whatever is no success. */
export async function request(method, path, { body, signal, raw = false, quiet = false } = {}) {
    const headers = method === "GET" ? {} : { "x-csrf-token": csrf };
    if (body !== undefined && !raw) headers["content-type"] = "application/json";
    const content = body === undefined || raw ? body : JSON.stringify(body);
    let response;
    try {
        response = await fetch(path, { method, headers, body: content, signal, credentials: "same-origin", cache: "no-store" });
    } catch (error) {
        if (error.name === "AbortError") throw error;
        throw new Failure(0, "unreachable", error.message);
    }
    if (response.ok) return response;
    const failure = await failureOf(response);
    if (isUnknown(failure) && !quiet) onSignedOut();
    throw failure;
}

/** Whether who asks is not, or no longer, whom this page takes him for: another sign-in may have changed that. */
const isUnknown = (failure) => failure.status === 401 || failure.code === "csrf_wrong";

async function failureOf(response) {
    let error = {};
    try {
        error = (await response.json()).error || {};
    } catch {
        /* a proxy's page, not the service's word */
    }
    const retryAfter = Number(response.headers.get("retry-after")) || 0;
    return new Failure(response.status, error.code || `status_${response.status}`, error.message || "", retryAfter);
}

export async function get(path, options) {
    return (await request("GET", path, options)).json();
}

export async function send(method, path, body, options = {}) {
    const response = await request(method, path, { body, ...options });
    return response.status === 204 ? null : response.json();
}

/** Post a file, and tell how much of it has gone: `fetch` can't. Returns the document that answers. */
export function upload(path, content, onProgress) {
    return new Promise((resolve, reject) => {
        const sending = new XMLHttpRequest();
        sending.open("POST", path);
        sending.setRequestHeader("x-csrf-token", csrf);
        sending.setRequestHeader("content-type", "application/octet-stream");
        sending.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
        sending.onerror = () => reject(new Failure(0, "unreachable", ""));
        sending.onload = () => {
            let document = {};
            try {
                document = JSON.parse(sending.responseText);
            } catch {
                /* a proxy's page */
            }
            if (sending.status < 300) return resolve(document);
            const error = document.error || {};
            const failure = new Failure(sending.status, error.code || `status_${sending.status}`, error.message || "");
            if (isUnknown(failure)) onSignedOut();
            reject(failure);
        };
        sending.send(content);
    });
}
