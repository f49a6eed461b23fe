// Writes small files for the fuzzers to begin with: node seeds.mjs TARGET DIR

import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

import * as texts from './seeds_text.mjs';

const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p, 'latin1') : Buffer.from(p))));

/** value in n bytes, big-endian */
function number(value, n) {
    const hex = BigInt.asUintN(8 * n, BigInt(value)).toString(16);
    return Buffer.from(hex.padStart(2 * n, '0'), 'hex');
}
const u32 = (...values) => bytes(...values.map((v) => number(v, 4)));

// ---- MP4: ISO/IEC 14496-12 ---------------------------------------------------------

function box(type, ...body) {
    const inner = bytes(...body);
    return bytes(u32(inner.length + 8), type, inner);
}
const full = (type, version, flags, ...body) => box(type, [version], number(flags, 3), ...body);
const clock = (type, timescale) => full(type, 0, 0, u32(0, 0, timescale, 0), number(0, 80));
const table = (type, version, width, values) => full(type, version, 0, u32(values.length / width, ...values));

/** a track of some samples; what it has beside the usual tables is in more */
function trak({ id, handler, format, timescale, samples, duration, chunk, more = [], sizes, edits }) {
    const entry = box(format, number(1, 8), number(0, 8), number(2, 2), number(16, 2), number(0, 50));
    const stbl = box(
        'stbl',
        full('stsd', 0, 0, u32(1), entry),
        table('stts', 0, 2, samples ? [samples, duration] : []),
        table('stsc', 0, 3, samples ? [1, samples, 1] : []),
        sizes ?? full('stsz', 0, 0, u32(samples ? 10 : 0, samples)),
        table('stco', 0, 1, samples ? [chunk] : []),
        ...more,
    );
    return box(
        'trak',
        full('tkhd', 0, 0, u32(0, 0, id), number(0, 68)),
        ...(edits ? [box('edts', table('elst', 0, 3, edits))] : []),
        box('mdia', clock('mdhd', timescale), full('hdlr', 0, 0, u32(0), handler, number(0, 13)), box('minf', stbl)),
    );
}

const video = (chunk, samples, more = [], edits) =>
    trak({ id: 1, handler: 'vide', format: 'avc1', timescale: 1000, samples, duration: 40, chunk, more, edits });
const reordered = [table('ctts', 0, 2, [1, 40, 1, 120, 2, 0, 1, 80, 1, 0]), table('stss', 0, 1, [1, 4])];
const sound = (chunk, samples, edits) =>
    trak({ id: 2, handler: 'soun', format: 'mp4a', timescale: 48000, samples, duration: 1024, chunk, edits });
const pcm = (chunk) => trak({ id: 2, handler: 'soun', format: 'sowt', timescale: 48000, samples: 30, duration: 1, chunk });
const compact = (chunk) =>
    trak({
        id: 3, handler: 'vide', format: 'hvc1', timescale: 25, samples: 4, duration: 1, chunk,
        sizes: full('stz2', 0, 0, u32(8, 4), [5, 6, 7, 8]),
        more: [full('sbgp', 0, 0, 'rap ', u32(1, 4, 1))],
    });

const ftyp = box('ftyp', 'isom', u32(512), 'isomavc1');
const mdat = box('mdat', number(0, 200));
const trex = (id, duration) => full('trex', 0, 0, u32(id, 1, duration, 10, 0));

function fragment(id, dts, n) {
    const moof = (offset) =>
        box(
            'moof',
            full('mfhd', 0, 0, u32(1)),
            box(
                'traf',
                full('tfhd', 0, 0x20000, u32(id)),
                full('tfdt', 1, 0, number(dts, 8)),
                full('trun', 1, 0x801, u32(n, offset), u32(...Array(n).fill(-40))),
            ),
        );
    return bytes(moof(moof(0).length + 8), box('mdat', number(0, 10 * n)));
}

const mp4 = {
    faststart: bytes(ftyp, box('moov', clock('mvhd', 1000), video(600, 6, reordered), sound(660, 4)), mdat, mdat, mdat, mdat),
    at_end: bytes(ftyp, mdat, box('moov', clock('mvhd', 1000), video(40, 6, reordered, [500, -1, 65536, 240, 40, 65536]), sound(100, 4))),
    edits: bytes(ftyp, mdat, box('moov', clock('mvhd', 1000), video(40, 6, reordered, [80, 40, 65536, 240, 80, 65536]), compact(60))),
    sound: bytes(ftyp, mdat, box('moov', clock('mvhd', 1000), sound(40, 8, [50, 700, 65536, 40, 5000, 65536]), video(60, 2))),
    pcm: bytes(ftyp, mdat, box('moov', clock('mvhd', 1000), pcm(40), box('udta', number(0, 4)))),
    fragmented: bytes(
        ftyp,
        box('moov', clock('mvhd', 1000), video(0, 0), sound(0, 0), box('mvex', trex(1, 40), trex(2, 1024))),
        fragment(1, 0, 3), fragment(2, 0, 2), fragment(1, 120, 2),
    ),
};

// ---- Matroska: RFC 9559 ------------------------------------------------------------

const idOf = (id) => number(id, id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1);
function element(id, ...body) {
    const inner = bytes(...body);
    return bytes(idOf(id), inner.length < 127 ? [0x80 | inner.length] : number(inner.length + 2 ** 28, 4), inner);
}
const open = (id, ...body) => bytes(idOf(id), [0xff], ...body);
const block = (id, track, ticks) => element(id, [0x80 | track], number(ticks, 2), [0x80], number(0, 9));
const entry = (track, type, codec) =>
    element(0xae, element(0xd7, [track]), element(0x83, [type]), element(0x86, codec), element(0x23e383, u32(40000000)), element(0x56aa, u32(6500000)));

const ebml = element(0x1a45dfa3, element(0x4282, 'matroska'));
const info = element(0x1549a966, element(0x2ad7b1, number(1000000, 3)), element(0x4489, number(0x40c38800, 4)));
const tracks = element(0x1654ae6b, entry(1, 1, 'V_MPEG4/ISO/AVC'), entry(2, 2, 'A_OPUS'));
const inCluster = (time) =>
    bytes(element(0xe7, number(time, 2)), block(0xa3, 1, 0), element(0xa0, block(0xa1, 2, -7), element(0x9b, [20])), block(0xa3, 1, 40), element(0xec, number(0, 3)));
const cues = element(0x1c53bb6b, number(0, 20));

const mkv = {
    known: bytes(ebml, element(0x18538067, info, tracks, element(0x1f43b675, inCluster(0)), element(0x1f43b675, inCluster(1000)), cues)),
    unknown: bytes(ebml, open(0x18538067, info, tracks, open(0x1f43b675, inCluster(0)), open(0x1f43b675, inCluster(1000)), cues)),
};

// ---- subtitles ---------------------------------------------------------------------

const srt = '1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>a < b & c</i> {\\an8}<font color="#fff">x</font>\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\n- \u00fc\r\n- <b>y\r\n';
const subtitle = {
    srt: bytes(srt),
    utf8: Buffer.from(`\ufeff${srt}`),
    utf16: Buffer.from(`\ufeff${srt}`, 'utf16le'),
    vtt: bytes(
        'WEBVTT - x\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\nSTYLE\n::cue{color:red}\n\nNOTE\nno\n\nid\n',
        '00:01.000 --> 00:02.000 line:10%,start align:end region:r\n<v.loud Bob &amp; I>hi <00:01.500><c.red>you</c>\n\n',
        '00:00.500 --> 01:00:00.000\n<lang en><ruby>a<rt>b</rt></ruby><br>&nbsp;\n',
    ),
};

// ---- parts of those files ----------------------------------------------------------

/** the bodies of the stbl boxes in a file */
function tables(data) {
    const found = [];
    for (let at = data.indexOf('stbl'); at >= 0; at = data.indexOf('stbl', at + 4))
        found.push(data.subarray(at + 4, at - 4 + data.readUInt32BE(at - 4)));
    return found;
}
const named = (name, list) => Object.fromEntries(list.map((data, i) => [`${name}${i}`, data]));
const mp4_tables = named('stbl', Object.values(mp4).flatMap(tables).map((stbl) => bytes(stbl, [1])));

const init = bytes(ftyp, box('moov', clock('mvhd', 1000), video(0, 0), box('mvex', trex(1, 40))));
const cutter = {
    plain: bytes(init, fragment(1, 0, 3), fragment(1, 120, 2)),
    extras: bytes(box('styp', 'msdh'), init, box('sidx', number(0, 24)), fragment(1, 0, 1), box('mfra', number(0, 9))),
    wide: bytes(init, fragment(1, 0, 0), number(1, 4), 'free', number(20, 8), number(0, 4)),
    cut: bytes(init, fragment(1, 0, 3)).subarray(0, -5),
};

/** a moov box of QuickTime that holds another one */
const packed = (moov, says = moov.length) => box('moov', box('cmov', box('dcom', 'zlib'), box('cmvd', u32(says), zlib.deflateSync(moov))));
const moov = (...traks) => box('moov', clock('mvhd', 1000), ...traks);
const list = (id, ids) => open(id, ...ids.map((inner) => element(inner)));
const source_bounds = {
    ...mp4,
    ...mkv,
    packed: bytes(ftyp, mdat, packed(moov(video(40, 6, reordered), pcm(60)))),
    packed_twice: packed(packed(moov(sound(40, 8)))),
    packed_long: bytes(packed(moov(video(40, 6)), 64 << 20), moov(sound(40, 8))),
    streams: moov(...Array(65).fill(box('trak'))),
    many: moov(video(40, 100001), sound(40, 8, Array(51).fill(1))),
    fast: moov(trak({ id: 1, handler: 'vide', format: 'avc1', timescale: 48000, samples: 6000, duration: 1, chunk: 40 })),
    odd_places: bytes(
        box('hoov', clock('mvhd', 1000), box('trak')),
        moov(
            box('meta', full('hdlr', 0, 0, u32(0), 'mdir', number(0, 13)), box('ilst', box('trak'))),
            box('trak', full('stsd', 0, 0, u32(1), box('sowt', number(0, 28), box('wave', number(0, 11), full('stsz', 0, 0, u32(1, 100001)))))),
        ),
    ),
    lists: bytes(ebml, open(0x18538067, list(0x114d9b74, [0x4dbb, 0x4dbb]), tracks, open(0x1f43b675, inCluster(0)), list(0x1c53bb6b, [0xbb, 0xbb]), list(0x1043a770, [0x45b9]), list(0x1254c367, [0x7373]), list(0x1941a469, [0x61a7]))),
};

/** what the two sniffers are held to, and files longer than they look at */
const vectors = JSON.parse(fs.readFileSync(new URL('../vectors/sniff.json', import.meta.url), 'utf8')).vectors;
const sniff = {
    ...named('vector', vectors.map(({ hex }) => Buffer.from(hex.replaceAll(' ', ''), 'hex'))),
    long: bytes(ftyp, box('free', number(0, 4200)), mdat),
    long_mkv: bytes(ebml, element(0xec, number(0, 4100)), element(0x18538067, info)),
};

const binary = { mp4_index: mp4, mp4_tables, source_bounds, cutter, mkv_walk: mkv, subtitle, sniff };
const [target, dir] = process.argv.slice(2);
fs.mkdirSync(dir, { recursive: true });
const write = (name, data) => fs.writeFileSync(path.join(dir, name), data);
for (const [name, text] of Object.entries(texts[target] ?? {})) write(name, text);
// The last byte tells the fuzzer how the file comes in.
for (const [name, data] of Object.entries(binary[target] ?? {}))
    for (const how of [0, 1, 60]) write(`${name}_${how}`, bytes(data, [how]));
