/*
 * sound.mjs: whether two decodings of the same sound, each through an encoder of its own,
 * sound alike where one of them was put together from several runs. Samples are mono at
 * 48 kHz, −1 to 1.
 */

const REACH = 2048; // samples to either side of a seam: two AAC frames, which overlap
const NEAR = 1024; // what is masked by its surroundings is so for some 20 ms
const BLOCK = 256;
const WINDOW = 64;
const QUIET = 0.005; // of full scale: differences to so soft a sound do not count for more
const CLICK = { times: 1.25, plus: 0.002 };

/*
 * What is wrong with b, which should sound like a, around its sample number `at`; [] if
 * nothing. noise: by how much they may differ in each short block, as a share of what is
 * heard there, as encoders see to it that what they change is not heard. slack: by so many
 * samples b may be early or late; then differences are the least of all such shifts.
 */
export function seamFaults(a, b, at, { noise, slack = 0 }) {
    const from = Math.max(slack, at - REACH);
    const to = Math.min(a.length, b.length - slack, at + REACH);
    return [...differences(a, b, from, to, { noise, slack }), ...clicks(a, b, from, to)].map(
        ({ sample, what }) => `${(sample / 48000).toFixed(4)} s: ${what}`,
    );
}

function differences(a, b, from, to, { noise, slack }) {
    const found = [];
    for (let i = from; i + BLOCK <= to; i += BLOCK) {
        const heard = rms(a.subarray(Math.max(0, i - NEAR), i + BLOCK + NEAR)) + QUIET;
        const share = leastDifference(a, b, i, slack) / heard;
        if (share > noise) found.push({ sample: i, what: `differs by ${share.toFixed(2)} of what is heard` });
    }
    return found;
}

function leastDifference(a, b, from, slack) {
    let least = Number.POSITIVE_INFINITY;
    for (let shift = -slack; shift <= slack; shift++) {
        let sum = 0;
        for (let i = from; i < from + BLOCK; i++) sum += (a[i] - b[i + shift]) ** 2;
        least = Math.min(least, sum);
    }
    return Math.sqrt(least / BLOCK);
}

/* A click is a bend in the wave that is sharper than those nearby. */
function clicks(a, b, from, to) {
    const found = [];
    const usual = [];
    for (let i = from - NEAR; i < to + NEAR; i += WINDOW) usual.push(sharpestBend(a, i));
    const reach = NEAR / WINDOW;
    for (let i = from, n = reach; i < to; i += WINDOW, n++) {
        const limit = CLICK.times * Math.max(...usual.slice(n - reach, n + reach + 1)) + CLICK.plus;
        const bend = sharpestBend(b, i);
        if (bend > limit) found.push({ sample: i, what: `a click of ${bend.toFixed(4)}, ${limit.toFixed(4)} is usual` });
    }
    return found;
}

/* Of the window of samples that begins at `from`: the largest second difference. */
function sharpestBend(values, from) {
    let most = 0;
    const end = Math.min(from + WINDOW, values.length - 1);
    for (let i = Math.max(1, from); i < end; i++)
        most = Math.max(most, Math.abs(values[i - 1] - 2 * values[i] + values[i + 1]));
    return most;
}

function rms(values) {
    let sum = 0;
    for (const v of values) sum += v * v;
    return Math.sqrt(sum / values.length);
}
