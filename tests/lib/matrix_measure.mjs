/*
 * matrix_measure.mjs: what is seen and heard in a rendition, measured as a player with an
 * eye for colours would show it: by the matrix and range that it says itself.
 */
import assert from 'node:assert/strict';

import { readInitSegment } from './fmp4.mjs';
import { decode } from './media.mjs';
import { CORNERS, MARK_S, PATCHES } from './matrix.mjs';

const MATRICES = { 1: 'bt709', 5: 'bt470bg', 6: 'smpte170m' };

/* The name of the matrix that a rendition says it has. It says its primaries and transfer
 * too, and is of limited range. */
export function matrixOf(rendition) {
    const { colour } = readInitSegment(rendition.init);
    assert.ok(colour, 'it says what its colours are');
    assert.equal(colour.full, false);
    for (const of of ['primaries', 'transfer', 'matrix']) assert.ok(![0, 2].includes(colour[of]), `its ${of}`);
    return MATRICES[colour.matrix];
}

/*
 * Its pictures: { count, brightness: of each, 0 to 255, first: { width, height, at(x, y) →
 * [r, g, b] } }. matrix, range: how they are read.
 */
export async function pictures(buf, { width, height, matrix, range = 'tv' }) {
    const scale = `scale=in_color_matrix=${matrix}:in_range=${range}:flags=accurate_rnd+full_chroma_int+full_chroma_inp`;
    const rgb = await decode(buf, ['-vf', `${scale},format=rgb24`, '-fps_mode', 'passthrough', '-f', 'rawvideo']);
    const size = width * height * 3;
    assert.equal(rgb.length % size, 0, 'whole pictures of its size');
    const at = (x, y) => [...rgb.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
    return {
        count: rgb.length / size,
        brightness: Array.from({ length: rgb.length / size }, (_, n) => mean(rgb, n * size, (n + 1) * size)),
        first: { width, height, at },
    };
}

/* Of some of the bytes, which are enough. */
function mean(bytes, from, to) {
    const step = Math.max(1, Math.floor((to - from) / 3000)) | 1;
    let sum = 0;
    let count = 0;
    for (let i = from; i < to; i += step, count++) sum += bytes[i];
    return sum / count;
}

/* { width, height } of a JPEG, by its frame header (ITU-T T.81 B.2.2). */
export function jpegSize(buf) {
    for (let at = 2; at < buf.length; at += 2 + buf.readUInt16BE(at + 2))
        if (buf[at + 1] >= 0xc0 && buf[at + 1] <= 0xc2) return { height: buf.readUInt16BE(at + 5), width: buf.readUInt16BE(at + 7) };
    throw new Error('no frame in the JPEG');
}

/* The mean of a few pixels around a place that is told in shares of the sides. */
function around({ width, height, at }, across, down) {
    const reach = Math.max(0, Math.min(3, Math.floor(Math.min(width, height) / 16)));
    const [x, y] = [Math.round(across * (width - 1)), Math.round(down * (height - 1))];
    const sum = [0, 0, 0];
    for (let dy = -reach; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) at(x + dx, y + dy).forEach((v, i) => (sum[i] += v));
    return sum.map((v) => v / (2 * reach + 1) ** 2);
}

/* Where to look, in shares of the sides. */
export const PLACES = { topLeft: [0.15, 0.15], topRight: [0.85, 0.15], bottomLeft: [0.15, 0.85], bottomRight: [0.85, 0.85], disc: [0.5, 0.5] };

/* { topLeft: [r, g, b], …, disc } of a picture of the matrix. */
export function patches(shown) {
    return Object.fromEntries(Object.entries(PLACES).map(([name, place]) => [name, around(shown, ...place)]));
}

const furthest = (a, b) => Math.max(...a.map((v, i) => Math.abs(v - b[i])));
const luma = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;

/* What is off in the colours of the corners and the disc; corners: which patch is in each. */
export function colourFaults(found, { corners, near, grey }) {
    const wanted = { disc: 'disc', ...Object.fromEntries(CORNERS.map((place, i) => [place, corners[i]])) };
    return Object.entries(wanted)
        .map(([place, patch]) => {
            const want = grey ? Array(3).fill(luma(PATCHES[patch])) : PATCHES[patch];
            return { place, got: found[place].map(Math.round), want: want.map(Math.round), off: furthest(found[place], want) };
        })
        .filter(({ off }) => off > near)
        .map(({ place, got, want }) => `${place}: ${got}, should be ${want}`);
}

/* Of tone mapping: what is darker than white looks as it did, white keeps room above it. */
export function toneFaults(found, { corners }) {
    const faults = colourFaults({ ...found, disc: PATCHES.disc }, { corners, near: 16 });
    const [least, most] = [Math.min(...found.disc), Math.max(...found.disc)];
    if (least < 205 || most > 235 || most - least > 12) faults.push(`white is ${found.disc.map(Math.round)}`);
    return faults;
}

/* How wide and how high the disc in the middle is, in pixels. */
export function discSize({ width, height, at }) {
    const white = (x, y) => Math.min(...at(x, y)) > 195;
    const [midX, midY] = [width >> 1, height >> 1];
    let [left, right, top, bottom] = [midX, midX, midY, midY];
    while (left > 0 && white(left - 1, midY)) left--;
    while (right < width - 1 && white(right + 1, midY)) right++;
    while (top > 0 && white(midX, top - 1)) top--;
    while (bottom < height - 1 && white(midX, bottom + 1)) bottom++;
    return { across: right - left + 1, down: bottom - top + 1 };
}

/* The share of pixels, over all frames, where a line differs from both its neighbours. */
export async function combed(buf, width, height) {
    const grey = await decode(buf, ['-vf', 'format=gray', '-fps_mode', 'passthrough', '-f', 'rawvideo']);
    let teeth = 0;
    for (let start = 0; start < grey.length; start += width * height)
        for (let y = 1; y < height - 1; y++)
            for (let x = 0; x < width; x++) {
                const i = start + y * width + x;
                const [up, down] = [grey[i] - grey[i - width], grey[i] - grey[i + width]];
                if (Math.abs(up) > 60 && Math.abs(down) > 60 && up > 0 === down > 0) teeth++;
            }
    return teeth / grey.length;
}

/* When the whole picture turns white: seconds; undefined if it never does. */
export function flashAt(values, rate) {
    const n = values.findIndex((value) => value > 200);
    return n < 0 ? undefined : n / rate;
}

/* { left, right } as samples at 48 kHz; one channel is heard in both, as players have it. */
export async function ears(buf) {
    const raw = await decode(buf, ['-af', 'aresample=48000,pan=stereo|FL=FL+FC|FR=FR+FC', '-f', 'f32le']);
    const both = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
    return { left: both.filter((_, i) => i % 2 === 0), right: both.filter((_, i) => i % 2 === 1) };
}

/* When the beep begins: seconds. */
export function beepAt({ left, right }) {
    const n = left.findIndex((v, i) => Math.abs(v) > 0.04 || Math.abs(right[i]) > 0.04);
    return n < 0 ? undefined : n / 48000;
}

/* In dB, of the sine that is heard in the middle of the beep, by its mean square. */
export function levelOf(samples) {
    const middle = samples.subarray((MARK_S + 0.03) * 48000, (MARK_S + 0.07) * 48000);
    const square = middle.reduce((sum, v) => sum + v * v, 0) / middle.length;
    return 10 * Math.log10(2 * square + 1e-9);
}

/* The largest sample, which a player could not play if it is over 1. */
export const peakOf = (samples) => samples.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
