/* What went wrong, in the reader's words where there are some for it, else in the service's own. */

import { duration, has, t } from "./language.js";

const SAME = {
    too_many_requests: "queue_full",
    too_many_requests_in_memory: "queue_full",
    conversation_full: "context_length_exceeded",
    picture_not_here: "not_found",
};

export function explain(error) {
    const wait = error.retryAfter ? duration(error.retryAfter) : "";
    const key = `error.${SAME[error.code] || error.code}`;
    if (wait && has(`${key}.wait`)) return t(`${key}.wait`, { wait });
    if (has(key)) return t(key);
    return error.message || t("error.other", { code: error.code || error.name });
}
