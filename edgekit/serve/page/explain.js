/* What went wrong, in the reader's words where there are some for it, else in the service's own. */

import { duration, has, t } from "./language.js";

export function explain(error) {
    const wait = error.retryAfter ? duration(error.retryAfter) : "";
    const key = `error.${error.code}`;
    if (wait && has(`${key}.wait`)) return t(`${key}.wait`, { wait });
    if (has(key)) return t(key);
    return error.message || t("error.other", { code: error.code || error.name });
}
