/*
 * bmff_write.mjs: writes MP4 files whose tables say what a test wants, right or wrong (ISO
 * 14496-12), and elements of EBML (RFC 8794).
 */
const u8 = (n) => Buffer.from([n]);

export function u16(n) {
    const b = Buffer.alloc(2);
    b.writeUInt16BE(n);
    return b;
}

export function u32(...numbers) {
    const b = Buffer.alloc(4 * numbers.length);
    numbers.forEach((n, i) => b.writeUInt32BE(n, 4 * i));
    return b;
}

export function box(type, ...parts) {
    const body = Buffer.concat(parts);
    return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
}

export const full = (type, ...parts) => box(type, u32(0), ...parts);

export const FTYP = box('ftyp', Buffer.from('isom'), u32(512), Buffer.from('isomiso2avc1mp41'));
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);

export const mvhd = (timescale, duration) =>
    full('mvhd', u32(0, 0, timescale, duration, 0x10000), u16(0x100), Buffer.alloc(10), MATRIX, Buffer.alloc(24), u32(65));

export const SELF = box('url ', u32(1));

/* A track. stsd: the box; dref: the boxes in its data reference; stts: [count, duration, …];
 * size: of each of samples samples, which are one chunk at `at`. */
export function trak({ id = 1, timescale = 1000, duration = 0, width = 64, height = 64, stsd, dref = SELF, stts = [], size = 0, samples = 0, at = 0 }) {
    const tkhd = box('tkhd', u32(7, 0, 0, id, 0, duration, 0, 0, 0, 0), MATRIX, u32(width << 16, height << 16));
    const mdhd = full('mdhd', u32(0, 0, timescale, duration), u16(0x55c4), u16(0));
    const stbl = box('stbl', stsd ?? full('stsd', u32(0)),
        full('stts', u32(stts.length / 2, ...stts)),
        samples ? full('stsc', u32(1, 1, samples, 1)) : full('stsc', u32(0)),
        full('stsz', u32(size, samples)), samples ? full('stco', u32(1, at)) : full('stco', u32(0)));
    const minf = box('minf', box('vmhd', u32(1), Buffer.alloc(8)), box('dinf', full('dref', u32(1), dref)), stbl);
    const hdlr = full('hdlr', u32(0), Buffer.from('vide'), Buffer.alloc(13));
    return box('trak', tkhd, box('mdia', mdhd, hdlr, minf));
}

/* ---- EBML ----------------------------------------------------------------------- */

/* id: with its marker, as in 0x1a45dfa3; the size takes 8 bytes. */
export function element(id, ...parts) {
    const body = Buffer.concat(parts.map((p) => (typeof p === 'number' ? u32(p) : Buffer.from(p))));
    return Buffer.concat([elementHead(id, body.length), body]);
}

/* size undefined: it is not known. */
export function elementHead(id, size) {
    const name = Buffer.from(id.toString(16), 'hex');
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(size === undefined ? 0x01ffffffffffffffn : BigInt(size) | (1n << 56n));
    return Buffer.concat([name, length]);
}

/* As short as an element of less than 127 bytes can be. */
export const short = (id, body = Buffer.alloc(0)) => Buffer.concat([Buffer.from(id.toString(16), 'hex'), u8(0x80 | body.length), body]);

export const EBML_HEAD = element(0x1a45dfa3, short(0x4282, Buffer.from('matroska')), short(0x4287, u8(4)), short(0x4285, u8(2)));

export const mkvTrack = (number, width = 64, height = 64) =>
    element(0xae, short(0xd7, u16(number)), short(0x73c5, u16(number)), short(0x83, u8(1)), short(0x86, Buffer.from('V_MPEG4/ISO/ASP')),
        short(0xe0, Buffer.concat([short(0xb0, u16(width)), short(0xba, u16(height))])));
