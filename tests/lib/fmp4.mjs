/*
 * fmp4.mjs: what an init segment and a media segment of CMAF say of themselves (ISO
 * 14496-12, -14, -15, and the bindings of VP9 and AV1), for hls_validator.mjs.
 *
 * Reads bytes, throws an Error with a sentence where they are no such thing. Nothing here
 * knows a playlist, and nothing is shared with the readers in C.
 */

/* [{ type, at, end, body }] of the boxes that fill buf from `from` to `to` exactly. */
export function readBoxes(buf, from = 0, to = buf.length) {
    const found = [];
    for (let at = from; at < to; ) {
        if (to - at < 8) throw new Error(`${to - at} bytes after the last box`);
        let size = buf.readUInt32BE(at);
        const type = buf.toString('latin1', at + 4, at + 8);
        const header = size === 1 ? 16 : 8;
        if (size === 1) size = Number(buf.readBigUInt64BE(at + 8));
        if (size < header || at + size > to) throw new Error(`the box ${type} runs over its end`);
        found.push({ type, at, end: at + size, body: at + header });
        at += size;
    }
    return found;
}

function one(buf, parent, type) {
    const found = readBoxes(buf, parent.body, parent.end).filter((box) => box.type === type);
    if (found.length !== 1) throw new Error(`${found.length} boxes ${type} in ${parent.type}`);
    return found[0];
}

const down = (buf, parent, ...types) => types.reduce((box, type) => one(buf, box, type), parent);
const flagsOf = (buf, box) => buf.readUInt32BE(box.body) & 0xffffff;
const versionOf = (buf, box) => buf[box.body];

// ---- what is in the init segment ---------------------------------------------------

/* Where the boxes of a sample entry begin, after what its kind has of its own. */
const entryBoxes = (buf, entry, handler) =>
    readBoxes(buf, entry.body + (handler === 'vide' ? 78 : 28), entry.end);

const hex = (n) => n.toString(16).padStart(2, '0');
const two = (n) => `${n}`.padStart(2, '0');

const codecOf = {
    avcC: (buf, at, entry) => `${entry}.${hex(buf[at + 1])}${hex(buf[at + 2])}${hex(buf[at + 3])}`,
    /* ISO 14496-15 annex E.3. */
    hvcC(buf, at, entry) {
        const space = ['', 'A', 'B', 'C'][buf[at + 1] >> 6];
        let compatible = buf.readUInt32BE(at + 2);
        let turned = 0;
        for (let i = 0; i < 32; i++, compatible >>>= 1) turned = ((turned << 1) | (compatible & 1)) >>> 0;
        const constraints = [...buf.subarray(at + 6, at + 12)];
        while (constraints.length && constraints.at(-1) === 0) constraints.pop();
        const tier = buf[at + 1] & 0x20 ? 'H' : 'L';
        return [`${entry}.${space}${buf[at + 1] & 31}`, turned.toString(16), `${tier}${buf[at + 12]}`,
            ...constraints.map((n) => n.toString(16))].join('.');
    },
    vpcC: (buf, at, entry) => `${entry}.${two(buf[at + 4])}.${two(buf[at + 5])}.${two(buf[at + 6] >> 4)}`,
    av1C(buf, at, entry) {
        const tier = buf[at + 2] & 0x80 ? 'H' : 'M';
        const depth = buf[at + 2] & 0x40 ? (buf[at + 2] & 0x20 ? 12 : 10) : 8;
        return `${entry}.${buf[at + 1] >> 5}.${two(buf[at + 1] & 31)}${tier}.${two(depth)}`;
    },
    esds: (buf, at, entry, end) => `${entry}.${descriptors(buf, at + 4, end)}`,
};

/* An MPEG-4 descriptor's tag, and where its content is (ISO 14496-1, 8.3.3). */
function descriptor(buf, at) {
    const tag = buf[at++];
    let size = 0;
    let byte;
    do {
        byte = buf[at++];
        size = (size << 7) | (byte & 0x7f);
    } while (byte & 0x80);
    return { tag, at, end: at + size };
}

/* "40.2": the object type of an esds, and of its AudioSpecificConfig. */
function descriptors(buf, from, to) {
    const es = descriptor(buf, from);
    if (es.tag !== 3 || es.end > to) throw new Error('no ES_Descriptor in esds');
    const config = descriptor(buf, es.at + 3);
    if (config.tag !== 4) throw new Error('no DecoderConfigDescriptor in esds');
    const type = hex(buf[config.at]);
    if (type !== '40') return type;
    const specific = descriptor(buf, config.at + 13);
    if (specific.tag !== 5) throw new Error('no DecoderSpecificInfo in esds');
    const object = buf[specific.at] >> 3;
    return `40.${object === 31 ? 32 + (((buf[specific.at] & 7) << 3) | (buf[specific.at + 1] >> 5)) : object}`;
}

/* { codec, nalSize } of a sample entry. */
function readEntry(buf, entry, handler) {
    for (const box of entryBoxes(buf, entry, handler)) {
        if (!codecOf[box.type]) continue;
        const nalSize = box.type === 'avcC' ? (buf[box.body + 4] & 3) + 1 : box.type === 'hvcC' ? (buf[box.body + 21] & 3) + 1 : 0;
        return { codec: codecOf[box.type](buf, box.body, entry.type, box.end), nalSize, config: box };
    }
    const plain = { 'ac-3': 'ac-3', 'ec-3': 'ec-3', Opus: 'opus', fLaC: 'fLaC' }[entry.type];
    if (!plain) throw new Error(`nothing says what the codec of ${entry.type} is`);
    return { codec: plain, nalSize: 0 };
}

/* { primaries, transfer, matrix } by colr, as numbers of ISO/IEC 23091-2, and full; undefined
 * without one. */
function colourOf(buf, entry, handler) {
    if (handler !== 'vide') return undefined;
    const colr = entryBoxes(buf, entry, handler).find(({ type, body }) => type === 'colr' && /^ncl[xc]$/.test(buf.toString('latin1', body, body + 4)));
    if (!colr) return undefined;
    const [primaries, transfer, matrix] = [4, 6, 8].map((at) => buf.readUInt16BE(colr.body + at));
    return { primaries, transfer, matrix, full: buf[colr.body + 10] >> 7 === 1 };
}

/* { tkhd, shown, stretched }: how large tkhd says that it is shown, turned as its matrix has it, and
 * how large the pictures come out by the shape of their pixels; both { width, height }. */
function shownOf(buf, tkhd, entry, handler) {
    if (handler !== 'vide') return {};
    const [width, height] = [buf.readUInt32BE(tkhd.end - 8) / 65536, buf.readUInt32BE(tkhd.end - 4) / 65536];
    const [a, b] = [buf.readInt32BE(tkhd.end - 44), buf.readInt32BE(tkhd.end - 40)];
    const pasp = entryBoxes(buf, entry, handler).find(({ type }) => type === 'pasp');
    const wide = pasp ? buf.readUInt32BE(pasp.body) / buf.readUInt32BE(pasp.body + 4) : 1;
    return {
        tkhd: { width, height },
        shown: Math.abs(b) > Math.abs(a) ? { width: height, height: width } : { width, height },
        stretched: { width: buf.readUInt16BE(entry.body + 24) * wide, height: buf.readUInt16BE(entry.body + 26) },
    };
}

/* The time that an edit list leaves out at the beginning, in the media's timescale. */
function editOffset(buf, trak) {
    const edts = readBoxes(buf, trak.body, trak.end).find(({ type }) => type === 'edts');
    if (!edts) return 0;
    const elst = one(buf, edts, 'elst');
    if (buf.readUInt32BE(elst.body + 4) !== 1) throw new Error('an edit list of more than one edit');
    const long = versionOf(buf, elst) === 1;
    const time = long ? Number(buf.readBigInt64BE(elst.body + 16)) : buf.readInt32BE(elst.body + 12);
    if (time < 0) throw new Error('an edit list that begins with nothing');
    return time;
}

/*
 * { kind: 'video' or 'audio', track, timescale, codec, nalSize, offset, defaults } of an init
 * segment, and of a picture its colour and what shownOf says.
 */
export function readInitSegment(buf) {
    const top = readBoxes(buf);
    if (top[0]?.type !== 'ftyp') throw new Error('does not begin with ftyp');
    const moovs = top.filter(({ type }) => type === 'moov');
    if (moovs.length !== 1) throw new Error(`${moovs.length} boxes moov`);
    if (top.some(({ type }) => type === 'moof' || type === 'mdat')) throw new Error('has media in it');
    const [moov] = moovs;
    const trak = one(buf, moov, 'trak');
    const mdia = one(buf, trak, 'mdia');
    const mdhd = one(buf, mdia, 'mdhd');
    const hdlr = one(buf, mdia, 'hdlr');
    const stbl = down(buf, mdia, 'minf', 'stbl');
    for (const type of ['stts', 'stsc', 'stco'])
        if (buf.readUInt32BE(one(buf, stbl, type).body + 4) !== 0) throw new Error(`samples in ${type}`);
    const stsd = one(buf, stbl, 'stsd');
    const entries = readBoxes(buf, stsd.body + 8, stsd.end);
    if (entries.length !== 1) throw new Error(`${entries.length} sample entries`);
    const handler = buf.toString('latin1', hdlr.body + 8, hdlr.body + 12);
    const tkhd = one(buf, trak, 'tkhd');
    const long = versionOf(buf, tkhd) === 1;
    const trex = down(buf, moov, 'mvex', 'trex');
    return {
        kind: { vide: 'video', soun: 'audio' }[handler] ?? handler,
        track: buf.readUInt32BE(tkhd.body + (long ? 20 : 12)),
        timescale: buf.readUInt32BE(mdhd.body + (versionOf(buf, mdhd) === 1 ? 20 : 12)),
        ...readEntry(buf, entries[0], handler),
        colour: colourOf(buf, entries[0], handler),
        ...shownOf(buf, tkhd, entries[0], handler),
        offset: editOffset(buf, trak),
        defaults: {
            track: buf.readUInt32BE(trex.body + 4),
            duration: buf.readUInt32BE(trex.body + 12),
            size: buf.readUInt32BE(trex.body + 16),
            flags: buf.readUInt32BE(trex.body + 20),
        },
    };
}

// ---- what is in a media segment ----------------------------------------------------

/* What tfhd says of its samples, over what trex says. */
function readTfhd(buf, tfhd, init) {
    const flags = flagsOf(buf, tfhd);
    if (flags & 1) throw new Error('tfhd has a base-data-offset');
    if (!(flags & 0x20000)) throw new Error('tfhd is not default-base-is-moof');
    const track = buf.readUInt32BE(tfhd.body + 4);
    if (track !== init.track) throw new Error(`track ${track}, the init segment has ${init.track}`);
    let at = tfhd.body + 8 + (flags & 2 ? 4 : 0);
    const next = (bit, otherwise) => {
        if (!(flags & bit)) return otherwise;
        at += 4;
        return buf.readUInt32BE(at - 4);
    };
    return {
        duration: next(8, init.defaults.duration),
        size: next(16, init.defaults.size),
        flags: next(32, init.defaults.flags),
    };
}

/* The samples of a trun: { dts (from 0), duration, offset (composition), size, flags, at }.
 * base: where moof begins. */
function* readTrun(buf, trun, usual, base) {
    const has = flagsOf(buf, trun);
    const signed = versionOf(buf, trun) === 1;
    const count = buf.readUInt32BE(trun.body + 4);
    let at = trun.body + 8;
    if (!(has & 1)) throw new Error('trun has no data-offset');
    let data = base + buf.readInt32BE(at);
    at += 4;
    const first = has & 4 ? buf.readUInt32BE(at) : undefined;
    if (has & 4) at += 4;
    const width = [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length * 4;
    if (at + count * width !== trun.end) throw new Error('trun is not as long as its samples');
    for (let i = 0; i < count; i++) {
        const next = (bit, otherwise) => {
            if (!(has & bit)) return otherwise;
            at += 4;
            return buf.readUInt32BE(at - 4);
        };
        const duration = next(0x100, usual.duration);
        const size = next(0x200, usual.size);
        const flags = next(0x400, i === 0 && first !== undefined ? first : usual.flags);
        const offset = next(0x800, 0);
        yield { duration, size, flags, offset: signed ? offset | 0 : offset, at: data };
        data += size;
    }
}

function readMoof(buf, moof, mdat, init) {
    const traf = one(buf, moof, 'traf');
    const inside = readBoxes(buf, traf.body, traf.end);
    const tfdt = inside.filter(({ type }) => type === 'tfdt');
    if (tfdt.length !== 1) throw new Error(`${tfdt.length} boxes tfdt in traf`);
    const usual = readTfhd(buf, one(buf, traf, 'tfhd'), init);
    const long = versionOf(buf, tfdt[0]) === 1;
    let dts = long ? Number(buf.readBigUInt64BE(tfdt[0].body + 4)) : buf.readUInt32BE(tfdt[0].body + 4);
    const samples = [];
    for (const trun of inside.filter(({ type }) => type === 'trun'))
        for (const sample of readTrun(buf, trun, usual, moof.at)) {
            if (sample.at < mdat.body || sample.at + sample.size > mdat.end)
                throw new Error('a sample is not in the mdat behind its moof');
            samples.push({ ...sample, dts, pts: dts + sample.offset - init.offset });
            dts += sample.duration;
        }
    if (samples.length === 0) throw new Error('a moof without a sample');
    return samples;
}

/*
 * The samples of a media segment in decode order: { dts, pts, duration, size, flags, at } in
 * the timescale of its init segment; moofs: the samples where one begins.
 */
export function readMediaSegment(buf, init) {
    const samples = [];
    const moofs = [];
    const boxes = readBoxes(buf);
    boxes.forEach((box, i) => {
        if (box.type === 'moov') throw new Error('has a moov');
        if (box.type === 'mdat' && boxes[i - 1]?.type !== 'moof') throw new Error('an mdat without its moof');
        if (box.type !== 'moof') return;
        if (boxes[i + 1]?.type !== 'mdat') throw new Error('a moof without its mdat');
        moofs.push(samples.length);
        samples.push(...readMoof(buf, box, boxes[i + 1], init));
    });
    if (samples.length === 0) throw new Error('no moof in it');
    return { samples, moofs };
}

// ---- where decoding can begin ------------------------------------------------------

/* By the flags of ISO 14496-12, 8.8.3.1. */
export const isSync = ({ flags }) => !(flags & 0x10000);

/* The types of the NAL units of a sample. */
function* nalTypes(buf, { at, size }, nalSize, hevc) {
    const end = at + size;
    for (let pos = at; pos + nalSize < end; ) {
        const length = buf.readUIntBE(pos, nalSize);
        pos += nalSize;
        if (length === 0 || pos + length > end) throw new Error('a NAL unit runs over its sample');
        yield hevc ? (buf[pos] >> 1) & 63 : buf[pos] & 31;
        pos += length;
    }
}

/*
 * Whether a decoder can begin at the sample, by what is in it: an IDR picture of AVC, an
 * IRAP picture of HEVC, a keyframe of VP9, a sequence header of AV1. Sound: always.
 */
export function isDecodable(buf, sample, init) {
    const [codec] = init.codec.split('.');
    if (codec.startsWith('avc')) return [...nalTypes(buf, sample, init.nalSize, false)].includes(5);
    if (/^(hvc|hev)1$/.test(codec))
        return [...nalTypes(buf, sample, init.nalSize, true)].some((type) => type >= 16 && type <= 21);
    if (codec === 'vp09') {
        const byte = buf[sample.at];
        const profile = ((byte >> 5) & 1) | ((byte >> 3) & 2);
        const shift = profile === 3 ? 1 : 0; // a reserved bit more
        return byte >> 6 === 2 && !((byte >> (3 - shift)) & 1) && !((byte >> (2 - shift)) & 1);
    }
    if (codec === 'av01') return hasSequenceHeader(buf, sample);
    return init.kind === 'audio';
}

function hasSequenceHeader(buf, { at, size }) {
    for (let pos = at; pos < at + size; ) {
        const header = buf[pos++];
        const type = (header >> 3) & 15;
        if (type === 1) return true;
        if (header & 4) pos += 1;
        if (!(header & 2)) return false; // without a size: the last one
        let length = 0;
        for (let i = 0; i < 8; i++) {
            const byte = buf[pos++];
            length |= (byte & 0x7f) << (7 * i);
            if (!(byte & 0x80)) break;
        }
        pos += length;
    }
    return false;
}
