/* A file as it goes to the service: photos no larger than a model can use, everything else as it is. */

const SIDE_PX = 2048;
const LIGHT_BYTES = 4 * 2 ** 20;
const QUALITY = 0.92;

/** The file itself, or a smaller picture of it. DICOM, pictures of 16 bits, and what no browser reads stay as they are. */
export async function reduced(file) {
    const head = new Uint8Array(await file.slice(0, 132).arrayBuffer());
    if (isDicom(file, head) || isDeepPng(head)) return file;
    let bitmap;
    try {
        bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
        return file; // the service says what it is, or reads it
    }
    try {
        const scale = SIDE_PX / Math.max(bitmap.width, bitmap.height);
        if (scale >= 1 && file.size <= LIGHT_BYTES) return file;
        return await drawn(bitmap, Math.min(scale, 1), isPng(head) ? "image/png" : "image/jpeg");
    } finally {
        bitmap.close();
    }
}

async function drawn(bitmap, scale, type) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const as = (kind) => new Promise((resolve) => canvas.toBlob(resolve, kind, QUALITY));
    const picture = await as(type);
    return picture.size <= LIGHT_BYTES ? picture : as("image/jpeg");
}

function isDicom(file, head) {
    return String.fromCharCode(...head.slice(128, 132)) === "DICM" || /\.(dcm|dicom)$/i.test(file.name || "");
}

const isPng = (head) => head[0] === 0x89 && head[1] === 0x50 && head[2] === 0x4e && head[3] === 0x47;

/** PNG's header has the bits of a sample at its byte 24 (PNG 11.2.1). */
const isDeepPng = (head) => isPng(head) && head[24] === 16;
