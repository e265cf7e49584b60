/* From stored numbers to what the eye sees: window and level, by a table of every number that there is. */

const NUMBERS = 65536;
const SHARES = {
    LINEAR: ({ center, width }) => (value) => (value - (center - 0.5)) / Math.max(width - 1, 1e-6) + 0.5,
    LINEAR_EXACT: ({ center, width }) => (value) => (value - center) / width + 0.5,
    SIGMOID: ({ center, width }) => (value) => 1 / (1 + Math.exp(Math.min(700, Math.max(-700, (-4 * (value - center)) / width)))),
};
const rounded = new Uint8ClampedArray(NUMBERS); // to the nearest, halves to the even one, cut to 0…255

/**
 * The colour of every number, as words of a canvas's picture (alpha, blue, green, red), `Uint32Array[65536]`.
 *
 * `picture` says what numbers mean: `offset`, `slope`, `intercept`, `function` (DICOM's VOI LUT functions, PS3.3
 * C.11.2.1.2 and C.11.2.1.3), `padding` (the number of places without a picture, null without). In doubles and in this
 * order, with the window that came along, these are the model's own shades.
 */
export function shadesOf(picture, window, inverted, into = new Uint32Array(NUMBERS)) {
    const { offset = 0, slope = 1, intercept = 0, padding = null } = picture;
    const share = (SHARES[picture.function] || SHARES.LINEAR)(window);
    for (let number = 0; number < NUMBERS; number += 1) rounded[number] = 255 * share((number + offset) * slope + intercept);
    for (let number = 0; number < NUMBERS; number += 1) {
        const shade = inverted ? 255 - rounded[number] : rounded[number];
        into[number] = 0xff000000 | (shade * 0x010101);
    }
    if (padding !== null) into[padding] = 0xff000000;
    return into;
}

/** Paint grey numbers with such a table into the words of a canvas's picture. */
export function paintGrey(numbers, shades, words) {
    for (let at = 0; at < numbers.length; at += 1) words[at] = shades[numbers[at]];
}

/** The same for colours of 8 bits, each channel by itself. */
export function paintColour(source, window, inverted, target) {
    const shades = shadesOf({}, window, inverted);
    for (let at = 0; at < source.length; at += 4) {
        target[at] = shades[source[at]] & 255;
        target[at + 1] = shades[source[at + 1]] & 255;
        target[at + 2] = shades[source[at + 2]] & 255;
        target[at + 3] = 255;
    }
}
