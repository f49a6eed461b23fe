/*
 * bombs.mjs: small files that ask for a lot: of memory, of disk, of time. Each is a function
 * that resolves to its bytes.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { deflateSync } from 'node:zlib';
import {
    EBML_HEAD, FTYP, box, element, elementHead, full, mkvTrack, mvhd, short, trak, u16, u32,
} from './bmff_write.mjs';
import { boxes, ffmpeg } from './media.mjs';

/* The sample description (stsd box) and the bytes of the first picture of a clip of H.264. */
async function picture(dir) {
    const file = path.join(dir, 'one.mp4');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=1:d=1', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', file);
    const bytes = await fs.readFile(file);
    const find = (buf, ...names) => names.reduce((body, name) => boxes(body).find(({ type }) => type === name).body, buf);
    return { stsd: box('stsd', find(bytes, 'moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd')), data: find(bytes, 'mdat') };
}

/* ftyp, mdat, moov: so a sample may be where it is known to be. */
const DATA_AT = FTYP.length + 8;
const mp4 = (data, ...inMoov) => Buffer.concat([FTYP, box('mdat', data), box('moov', ...inMoov)]);

/* One picture that is shown for 1.9 million seconds. */
export async function longPicture(dir) {
    const { stsd, data } = await picture(dir);
    return mp4(data, mvhd(1000, 1_900_000_000), trak({ stsd, duration: 1_900_000_000, stts: [1, 1_900_000_000], size: data.length, samples: 1, at: DATA_AT }));
}

/* Two of them, so many seconds apart. */
export const farApart = (seconds) => async (dir) => {
    const { stsd, data } = await picture(dir);
    const duration = 1000 * seconds;
    return mp4(Buffer.concat([data, data]), mvhd(1000, duration),
        trak({ stsd, duration, stts: [1, duration - 1000, 1, 1000], size: data.length, samples: 2, at: DATA_AT }));
};

/* Pictures that say they are larger than they can be: MJPEG, whose headers are easy to find. */
export async function hugePictures(dir, side = 16_000) {
    const file = path.join(dir, 'huge.mov');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=25:d=2', '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p', file);
    const bytes = await fs.readFile(file);
    const put = (at) => {
        bytes.writeUInt16BE(side, at);
        bytes.writeUInt16BE(side, at + 2);
    };
    for (let at = bytes.indexOf('ffc00011', 0, 'hex'); at >= 0; at = bytes.indexOf('ffc00011', at + 1, 'hex')) put(at + 5);
    put(bytes.indexOf('jpeg\0\0\0\0', 0, 'latin1') + 4 + 24);
    return bytes;
}

/* Real ones. */
export async function realHuge(dir) {
    const file = path.join(dir, 'real.mp4');
    await ffmpeg('-f', 'lavfi', '-i', `color=gray:s=16000x16000:r=1:d=1,format=gray`, '-c:v', 'png', '-threads', '1', file);
    return fs.readFile(file);
}

/* No bomb: as large as a video may be. */
export async function realClip(dir, size) {
    const file = path.join(dir, 'real-clip.mp4');
    await ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=${size}:r=5:d=1`, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', file);
    return fs.readFile(file);
}

export const mp4Streams = (n) => async () =>
    mp4(Buffer.alloc(100), mvhd(1000, 1000), ...Array.from({ length: n }, (_, i) => trak({ id: i + 1, duration: 1000 })));

const segment = (...children) => Buffer.concat([EBML_HEAD, element(0x18538067, ...children)]);

export const mkvStreams = (n) => async () =>
    segment(element(0x1654ae6b, ...Array.from({ length: n }, (_, i) => mkvTrack(i + 1))), element(0x1f43b675));

/* So many pictures a second, really. */
export const fastPictures = (rate, pictures) => async (dir) => {
    const { stsd, data } = await picture(dir);
    const all = Buffer.concat(Array.from({ length: pictures }, () => data));
    return mp4(all, mvhd(rate, pictures), trak({ stsd, timescale: rate, duration: pictures, stts: [pictures, 1], size: data.length, samples: pictures, at: DATA_AT }));
};

/* An hour of 120,000 a second, by its tables, all in a few bytes; and so on many tracks. */
export const countlessSamples = (tracks = 1, samples = 20_000_000, rate = 120_000) => async (dir) => {
    const { stsd, data } = await picture(dir);
    const one = (_, i) => trak({ id: i + 1, stsd, timescale: rate, duration: samples, stts: [samples, 1], size: 1, samples, at: DATA_AT });
    return mp4(data, mvhd(rate, samples), ...Array.from({ length: tracks }, one));
};

/* Fragments that are told to have as many. */
export const countlessFragments = (fragments = 1, samples = 20_000_000) => async (dir) => {
    const { stsd, data } = await picture(dir);
    const init = [FTYP, box('moov', mvhd(120_000, 0), trak({ stsd, timescale: 120_000 }), box('mvex', full('trex', u32(1, 1, 1, 1, 0))))];
    const moof = box('moof', full('mfhd', u32(1)), box('traf', box('tfhd', u32(0x20000, 1)), full('tfdt', u32(0)), box('trun', u32(0, samples))));
    return Buffer.concat([...init, ...Array.from({ length: fragments }, () => [moof, box('mdat', data)]).flat()]);
};

/* A moov box as QuickTime compresses it; size: what it says that it takes unpacked. */
const compressed = (moov, size = moov.length) =>
    box('moov', box('cmov', box('dcom', Buffer.from('zlib')), box('cmvd', u32(size), deflateSync(moov))));

/* The same file with a compressed index: it is the last box. */
export const compressedIndex = (make) => async (dir) => {
    const bytes = await make(dir);
    const moov = bytes.lastIndexOf('moov') - 4;
    return Buffer.concat([bytes.subarray(0, moov), compressed(bytes.subarray(moov))]);
};

/* One of so many bytes, and one that says so. */
export const hugeIndex = (bytes) => async () =>
    Buffer.concat([FTYP, box('mdat', Buffer.alloc(100)), compressed(box('moov', box('free', Buffer.alloc(bytes))))]);
export const boastfulIndex = (bytes) => async () =>
    Buffer.concat([FTYP, box('mdat', Buffer.alloc(100)), compressed(box('moov', mvhd(1000, 1000)), bytes)]);

/* Streams behind so many bytes of the smallest boxes, in a compressed index. */
export const crowdedIndex = (n, bytes) => async () =>
    Buffer.concat([FTYP, box('mdat', Buffer.alloc(100)), compressed(box('moov',
        Buffer.alloc(bytes, box('free')), ...Array.from({ length: n }, () => box('trak'))))]);

/* The same file with its index, the last one, in a box of another name. */
export const disguised = (make, name) => async (dir) => {
    const bytes = await make(dir);
    bytes.write(name, bytes.lastIndexOf('moov'), 'latin1');
    return bytes;
};

/* No bomb: a film of two seconds. */
export async function quickTime(dir) {
    const file = path.join(dir, 'clip.mov');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=128x96:r=25:d=2', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', file);
    return fs.readFile(file);
}

export const nestedBoxes = (depth) => async () => {
    const heads = Buffer.alloc(8 * depth);
    for (let i = 0; i < depth; i++) {
        heads.writeUInt32BE(8 * (depth - i), 8 * i);
        heads.write('moov', 8 * i + 4, 'latin1');
    }
    return Buffer.concat([FTYP, heads, box('mdat', Buffer.alloc(5000))]);
};

/* Tags within tags. */
export const nestedElements = (depth) => async () => {
    let inner = Buffer.alloc(0);
    for (let i = 0; i < depth; i++) inner = element(0x67c8, inner);
    return segment(element(0x1654ae6b, mkvTrack(1)), element(0x1254c367, element(0x7373, inner)), element(0x1f43b675));
};

/* An index without end: entries of two bytes that say nothing, or of the usual kind. */
const FULL_CUE = short(0xbb, Buffer.concat([short(0xb3, u16(1)), short(0xb7, Buffer.concat([short(0xf7, u16(1)), short(0xf1, u16(9))]))]));
export const endlessCues = (n, cue = FULL_CUE) => async () =>
    Buffer.concat([EBML_HEAD, elementHead(0x18538067), element(0x1654ae6b, mkvTrack(1)),
        elementHead(0x1c53bb6b), Buffer.alloc(n * cue.length, cue)]);
export const emptyCues = (n) => endlessCues(n, Buffer.from([0xbb, 0x80]));

/* A SeekHead that leads to itself, and to Cues that lead to it. */
export const seekLoop = async () =>
    segment(element(0x114d9b74, ...Array.from({ length: 500 }, () =>
        element(0x4dbb, short(0x53ab, u32(0x114d9b74)), short(0x53ac, u32(0))))), element(0x1654ae6b, mkvTrack(1)), element(0x1f43b675));

/* A title of so many bytes. */
export const longTitle = (n) => async () =>
    segment(element(0x1654ae6b, mkvTrack(1)), element(0x1254c367, element(0x7373, element(0x63c0),
        element(0x67c8, element(0x45a3, Buffer.from('TITLE')), element(0x4487, Buffer.alloc(n, 'x'))))), element(0x1f43b675));
