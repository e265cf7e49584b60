/* From stored values to what the eye sees: window and level, by a table of every value there is. */

const VALUES = 65536;

/**
 * The colour of every stored value, as words of a canvas's picture (alpha, blue, green, red), `Uint32Array[65536]`.
 *
 * A stored value times `slope` plus `intercept` is the modality's; the window is DICOM's linear one (PS3.3 C.11.2.1.2.1).
 */
export function shadesOf({ slope, intercept }, { center, width }, inverted, into = new Uint32Array(VALUES)) {
    const span = Math.max(width - 1, 1e-6);
    const gain = (255 * slope) / span;
    const offset = 255 * ((intercept - (center - 0.5)) / span + 0.5);
    for (let value = 0; value < VALUES; value += 1) {
        let shade = value * gain + offset;
        shade = shade < 0 ? 0 : shade > 255 ? 255 : (shade + 0.5) | 0;
        if (inverted) shade = 255 - shade;
        into[value] = 0xff000000 | (shade * 0x010101);
    }
    return into;
}

/** Paint grey values with such a table into the words of a canvas's picture. */
export function paintGrey(values, shades, words) {
    for (let at = 0; at < values.length; at += 1) words[at] = shades[values[at]];
}

/** The same for colours of 8 bits, each channel by itself. */
export function paintColour(source, { center, width }, inverted, target) {
    const shades = shadesOf({ slope: 1, intercept: 0 }, { center, width }, inverted);
    for (let at = 0; at < source.length; at += 4) {
        target[at] = shades[source[at]] & 255;
        target[at + 1] = shades[source[at + 1]] & 255;
        target[at + 2] = shades[source[at + 2]] & 255;
        target[at + 3] = 255;
    }
}

/** The window that shows every value: where the file names none. */
export function wholeWindow(values, { slope, intercept }) {
    let [least, most] = [VALUES, 0];
    for (const value of values) {
        if (value < least) least = value;
        if (value > most) most = value;
    }
    const ends = [least * slope + intercept, most * slope + intercept].sort((a, b) => a - b);
    return { center: (ends[0] + ends[1] + 1) / 2, width: Math.max(ends[1] - ends[0] + 1, 2) };
}
