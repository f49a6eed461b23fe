/*
 * hls_validator.mjs: whether all that is served of a video is what RFC 8216 asks for, and
 * what its playlists say is what its segments are. Independent of the code that writes them:
 * it knows no grid, no rendition by name and no file name.
 *
 *     const { complaints } = await validate(siteReader(site, video.media));
 *     assert.deepEqual(complaints, []);
 *
 * A complaint is a sentence with the file that it is about. Of a rendition that is not
 * complete (incomplete: a function of its playlist's URI) only what is there is looked at, and
 * nothing is measured. media: what was found, a Map from the URI of a playlist to { kind,
 * codec, start, duration, frames, bytes, target, init } in seconds, and peak and average in
 * bit/s, each as { least, most }.
 *
 * notes: the one rule that is known not to be kept: s. 6.2.4 wants the same target duration
 * of all renditions. Segments of 2 s of picture lie beside those of 4 s of sound here, and of
 * a copied picture nobody knows how long they are before all of it has come in. No player is
 * known to mind; so it is told apart.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';

import { isDecodable, isSync, readInitSegment, readMediaSegment } from './fmp4.mjs';
import { readPlaylist } from './hls_playlist.mjs';
import { waitFor } from './site.mjs';
import { sql } from './tus.mjs';

const EXTINF_S = 0.0015; // what an EXTINF may be wrong by
const LAST_S = 0.1; // the last one: its picture may stay until the sound ends
const DRIFT_S = 0.005; // and all of them together
const RATE = 0.01; // FRAME-RATE, as a share
const MEASURED = 0.01; // BANDWIDTH, as a share: it is the measured peak, s. 4.3.4.2
const START_S = 0.1; // what the beginnings of two renditions may be apart by, s. 6.2.4

/* Reads the files of a video on a site. media: as in its JSON. */
export function siteReader(site, media) {
    const base = media.slice(0, media.lastIndexOf('/') + 1);
    return async (uri) => {
        const res = await site.request('GET', base + uri);
        return res.status === 200 ? res.body : undefined;
    };
}

/* No job of a video is still to be done, or done again. Small pictures and checksums are no HLS. */
async function assertIdle(site, id) {
    const open = `SELECT id, kind, rendition, state, fence, failures, lost, progress, error FROM jobs
        WHERE video_id = '${id}' AND state IN ('queued', 'running') AND kind NOT IN ('storyboard', 'checksum')`;
    const jobs = await sql(site, open);
    if (jobs !== '') throw new Error(`open jobs: ${jobs}`);
}

/*
 * Waits until all that is planned of a video is made, and its master says so: { video, master:
 * as validate has it of master.m3u8, player: of player.m3u8 }.
 */
export async function validateVideo(site, id, { timeout = 120_000 } = {}) {
    let video;
    await waitFor(
        async () => {
            await assertIdle(site, id);
            video = (await site.api('GET', `/api/videos/${id}`)).json;
            return video.state === 'ready';
        },
        { timeout, every: 200, what: `all of video ${id} to be made`, moving: () => site.made() },
    );
    const master = await validate(siteReader(site, video.media));
    const player = await validate(siteReader(site, video.media), 'player.m3u8', { media: master.media });
    return { video, master, player };
}

/* Reads files in a folder. */
export const folderReader = (dir) => (uri) => fs.readFile(path.join(dir, uri)).catch(() => undefined);

/* RFC 8216 s. 4.1: the bit rate that any contiguous set of segments comes to whose length is
 * between half and one and a half of the target duration; without one, that of them all. */
export function peakRate(segments, target) {
    let peak = 0;
    for (let i = 0; i < segments.length; i++) {
        let bytes = 0;
        let seconds = 0;
        for (let k = i; k < segments.length && seconds <= 1.5 * target; k++) {
            bytes += segments[k].bytes;
            seconds += segments[k].duration;
            if (seconds >= 0.5 * target && seconds <= 1.5 * target) peak = Math.max(peak, (8 * bytes) / seconds);
        }
    }
    return peak || averageRate(segments);
}

export function averageRate(segments) {
    const sum = (of) => segments.reduce((all, segment) => all + of(segment), 0);
    return (8 * sum(({ bytes }) => bytes)) / sum(({ duration }) => duration);
}

const at = (seconds) => `${Number(seconds.toFixed(4))} s`;
const beside = (uri, other) => path.posix.join(path.posix.dirname(uri), other);

// ---- a media playlist ----------------------------------------------------------------

/* Its { target, version, ended, type, independent, map, segments: [{ uri, duration }] }. */
function readMediaPlaylist(text, complain) {
    const { is, lines } = readPlaylist(text, complain);
    if (is !== 'media') complain('is a master playlist where a media playlist should be');
    const list = { segments: [], ended: false, independent: false };
    let duration;
    for (const { tag, value, attributes, uri } of lines) {
        if (tag === 'EXT-X-TARGETDURATION') list.target = Number(value);
        if (tag === 'EXT-X-VERSION') list.version = Number(value);
        if (tag === 'EXT-X-PLAYLIST-TYPE') list.type = value;
        if (tag === 'EXT-X-ENDLIST') list.ended = true;
        if (tag === 'EXT-X-INDEPENDENT-SEGMENTS') list.independent = true;
        if (tag === 'EXT-X-MEDIA-SEQUENCE') list.sequence = Number(value);
        if (tag === 'EXT-X-MAP') list.map = attributes.URI;
        if (tag === 'EXTINF') {
            if (duration !== undefined) complain('an EXTINF without its URI');
            duration = Number.parseFloat(value);
        }
        if (uri === undefined) continue;
        if (list.ended) complain(`${uri} after EXT-X-ENDLIST`);
        if (duration === undefined) complain(`${uri} without EXTINF`);
        list.segments.push({ uri, duration: duration ?? 0 });
        duration = undefined;
    }
    if (duration !== undefined) complain('an EXTINF without its URI');
    return list;
}

function checkMediaPlaylist(list, complain, complete) {
    if (list.version === undefined) complain('without EXT-X-VERSION');
    const text = list.segments.every(({ uri }) => /\.vtt$/.test(uri));
    const needs = list.map ? 6 : 3; // s. 7: EXT-X-MAP; EXTINF with a point
    if (list.version < needs) complain(`EXT-X-VERSION ${list.version}, what is in it needs ${needs}`);
    if (list.target === undefined) complain('without EXT-X-TARGETDURATION');
    if (!list.map && !text) complain('without EXT-X-MAP');
    if (!list.independent && !text) complain('without EXT-X-INDEPENDENT-SEGMENTS');
    if (complete && !list.ended) complain('complete, and without EXT-X-ENDLIST');
    if (list.type === 'VOD' && !list.ended) complain('VOD without EXT-X-ENDLIST');
    if (complete && list.type !== 'VOD') complain('complete, and not of type VOD');
    if (list.sequence > 0) complain(`EXT-X-MEDIA-SEQUENCE ${list.sequence}, and nothing was removed`);
    if (complete && list.segments.length === 0) complain('without a segment');
    const seen = new Set();
    for (const { uri, duration } of list.segments) {
        if (seen.has(uri)) complain(`${uri} twice`);
        seen.add(uri);
        if (duration <= 0) complain(`${uri}: EXTINF of ${duration}`);
        if (Math.round(duration) > list.target) complain(`${uri}: EXTINF ${duration} over EXT-X-TARGETDURATION ${list.target}`);
    }
    return text;
}

// ---- its segments ----------------------------------------------------------------------

/* A segment as it is: when it begins and ends, in decode and in presentation time. */
function measure({ samples }, init) {
    const last = samples.at(-1);
    const pts = samples.map((sample) => sample.pts);
    const sum = last.dts + last.duration - samples[0].dts;
    const first = Math.min(...pts);
    return {
        dts: samples[0].dts, end: last.dts + last.duration, pts: first, lastPts: Math.max(...pts),
        frames: samples.length, seconds: sum / init.timescale, longest: Math.max(...samples.map((s) => s.duration)),
        shortest: Math.min(...samples.map((s) => s.duration)),
    };
}

/* Samples within a segment: one behind the other, each with a length and a place. */
function checkSamples({ samples, moofs }, complain) {
    samples.forEach((sample, i) => {
        const before = samples[i - 1];
        if (before && sample.dts !== before.dts + before.duration)
            complain(`sample ${i} is decoded at ${sample.dts}, the one before ends at ${before.dts + before.duration}`);
        if (sample.size === 0) complain(`sample ${i} is empty`);
        if (sample.duration === 0) complain(`sample ${i} has no duration`);
    });
    if (new Set(samples.map(({ pts }) => pts)).size !== samples.length) complain('two samples at one time');
    if (moofs[0] !== 0) complain('samples before the first moof');
}

/* s. 4.3.5.1: a segment of an independent playlist is decoded without those before it. */
function checkBeginning(bytes, { samples }, init, complain) {
    const [first] = samples;
    if (!isSync(first)) complain('does not begin with a sync sample');
    if (!isDecodable(bytes, first, init)) complain(`its first sample is none that ${init.codec} can begin with`);
    if (samples.some(({ pts }) => pts < first.pts)) complain('a sample is shown before its first one');
}

/*
 * Where a segment begins, it follows on the one before, with no gap and no overlap. Of pictures
 * at a rate that varies, the last one of a segment has the length that its muxer guessed: then
 * it counts when they are shown.
 */
function checkSeam(before, now, init, complain) {
    const longest = Math.max(before.longest, now.longest);
    const varies = Math.min(before.shortest, now.shortest) !== longest;
    const gapless = varies ? now.dts >= before.end && now.dts <= before.end + longest : now.dts === before.end;
    if (!gapless) complain(`is decoded from ${now.dts} on, the one before ends at ${before.end}`);
    if (now.pts <= before.lastPts) complain('is shown before the end of the one before');
    const gap = (now.pts - before.pts) / init.timescale - before.seconds;
    if (Math.abs(gap) > longest / init.timescale + 1e-9)
        complain(`is shown ${at(Math.abs(gap))} ${gap > 0 ? 'after' : 'before'} the end of the one before`);
}

class Rendition {
    constructor(uri, list, read, complaints, complete) {
        Object.assign(this, { uri, list, read, complaints, complete });
        this.segments = [];
    }

    complain = (what, file) => this.complaints.push(`${file ? beside(this.uri, file) : this.uri}: ${what}`);

    /* fn, whose errors are complaints. */
    about(file, fn) {
        try {
            return fn((what) => this.complain(what, file));
        } catch (error) {
            this.complain(error.message, file);
        }
    }

    async file(name) {
        const bytes = await this.read(beside(this.uri, name));
        if (!bytes && this.complete) this.complain('is not there', name);
        return bytes;
    }

    async readAll() {
        const bytes = this.list.map && (await this.file(this.list.map));
        if (bytes) this.init = this.about(this.list.map, () => readInitSegment(bytes));
        if (this.init && !['video', 'audio'].includes(this.init.kind)) this.complain(`a track of kind ${this.init.kind}`, this.list.map);
        for (const { uri, duration } of this.list.segments) await this.readSegment(uri, duration);
        this.segments.forEach((segment, k) => segment && this.checkLength(segment, k));
        if (this.complete && this.segments.every(Boolean)) this.checkSum();
    }

    async readSegment(uri, duration) {
        const bytes = await this.file(uri);
        const before = this.segments.at(-1);
        const found = bytes && this.init && this.about(uri, (complain) => {
            const segment = readMediaSegment(bytes, this.init);
            checkSamples(segment, complain);
            checkBeginning(bytes, segment, this.init, complain);
            const now = { ...measure(segment, this.init), duration, bytes: bytes.length };
            if (before) checkSeam(before, now, this.init, complain);
            return now;
        });
        this.segments.push(found);
    }

    /* It is as long as its samples, or as it is until the next one is shown; the first one,
     * from 0 on, if it begins soon. */
    checkLength({ seconds, pts, duration }, k) {
        const next = this.segments[k + 1];
        const early = k === 0 ? this.beginning() : 0;
        const lengths = [seconds, ...(next ? [(next.pts - pts) / this.init.timescale] : [])].flatMap((length) => [length, length + early]);
        const slack = k === this.segments.length - 1 ? LAST_S : EXTINF_S;
        if (lengths.every((length) => Math.abs(length - duration) > slack))
            this.complain(`EXTINF ${duration}, it is ${at(seconds)} long`, this.list.segments[k].uri);
    }

    /* How far after 0 the first picture is, if that is a little. */
    beginning() {
        const start = this.segments[0].pts / this.init.timescale;
        return start > 0 && start <= START_S ? start : 0;
    }

    checkSum() {
        const said = this.list.segments.reduce((sum, { duration }) => sum + duration, 0);
        const last = this.segments.at(-1);
        const real = (last.pts - this.segments[0].pts) / this.init.timescale + last.seconds;
        const off = said - last.duration - real + last.seconds;
        if (Math.min(Math.abs(off), Math.abs(off - this.beginning())) > DRIFT_S) this.complain(`its EXTINFs are ${at(said)} together, it is ${at(real)} long`);
    }

    /* What a master has to say of it; undefined where it cannot be measured. */
    facts() {
        if (!this.complete || !this.init || this.segments.length === 0 || !this.segments.every(Boolean)) return undefined;
        const { init, segments, list } = this;
        const real = segments.map(({ bytes, seconds }) => ({ bytes, duration: seconds }));
        const bounds = (rate) => ({ least: rate(segments), most: Math.max(rate(segments), rate(real)) });
        const sum = (of) => segments.reduce((all, segment) => all + of(segment), 0);
        const duration = sum(({ seconds }) => seconds);
        const frames = sum((s) => s.frames);
        // How fast its pictures follow one another, whatever the last one of them is shown for.
        const span = (segments.at(-1).lastPts - segments[0].pts) / init.timescale;
        return {
            kind: init.kind, codec: init.codec, init, target: list.target, duration, frames,
            start: segments[0].pts / init.timescale, bytes: sum(({ bytes }) => bytes),
            rate: span > 0 ? (frames - 1) / span : frames / duration, fastest: init.timescale / Math.min(...segments.map(({ shortest }) => shortest)),
            peak: bounds((all) => peakRate(all, list.target)), average: bounds(averageRate),
        };
    }
}

/* Subtitles: each a WebVTT file, to be read as UTF-8 (s. 3.5). */
async function checkTexts(rendition) {
    for (const { uri } of rendition.list.segments) {
        const bytes = await rendition.file(uri);
        if (bytes && !/^\ufeff?WEBVTT([ \t\n]|$)/.test(bytes.toString())) rendition.complain('is no WebVTT', uri);
    }
}

// ---- the master ----------------------------------------------------------------------

function readMaster(text, complain) {
    const { is, lines } = readPlaylist(text, complain);
    if (is !== 'master') complain('is a media playlist where a master playlist should be');
    const master = { media: [], variants: [] };
    lines.forEach(({ tag, value, attributes, uri }, i) => {
        if (tag === 'EXT-X-VERSION') master.version = Number(value);
        if (tag === 'EXT-X-INDEPENDENT-SEGMENTS') master.independent = true;
        if (tag === 'EXT-X-MEDIA') master.media.push(attributes);
        if (tag === 'EXT-X-STREAM-INF') {
            const next = lines[i + 1]?.uri;
            if (next === undefined) complain('EXT-X-STREAM-INF without its URI');
            else master.variants.push({ ...attributes, URI: next });
        }
        if (uri !== undefined && lines[i - 1]?.tag !== 'EXT-X-STREAM-INF') complain(`${uri} without EXT-X-STREAM-INF`);
    });
    if (master.version === undefined) complain('without EXT-X-VERSION');
    if (master.variants.length === 0) complain('without a variant');
    return master;
}

/* s. 4.3.4.1: what each EXT-X-MEDIA says, and what those of a group say together. */
function checkMediaTags({ media }, complain) {
    const groups = groupBy(media, groupOf);
    for (const tag of media) {
        const who = `EXT-X-MEDIA ${tag.NAME}`;
        if (!['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'].includes(tag.TYPE)) complain(`${who}: TYPE=${tag.TYPE}`);
        if (tag.TYPE === 'CLOSED-CAPTIONS' ? tag.URI : tag.TYPE === 'SUBTITLES' && !tag.URI) complain(`${who}: URI of ${tag.TYPE}`);
        if (tag.FORCED && tag.TYPE !== 'SUBTITLES') complain(`${who}: FORCED of ${tag.TYPE}`);
        if (tag.DEFAULT === 'YES' && tag.AUTOSELECT === 'NO') complain(`${who}: DEFAULT and not AUTOSELECT`);
        if (tag.LANGUAGE !== undefined && !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag.LANGUAGE)) complain(`${who}: LANGUAGE ${tag.LANGUAGE} is not of BCP 47`);
        if (tag.CHANNELS !== undefined && !/^[1-9]\d*(\/.*)?$/.test(tag.CHANNELS)) complain(`${who}: CHANNELS ${tag.CHANNELS}`);
    }
    for (const [group, tags] of groups) {
        const names = tags.map(({ NAME }) => NAME);
        if (new Set(names).size !== names.length) complain(`group ${group}: a NAME twice`);
        if (tags.filter(({ DEFAULT }) => DEFAULT === 'YES').length > 1) complain(`group ${group}: two that are DEFAULT`);
        const uris = tags.map(({ URI }) => URI).filter(Boolean);
        if (new Set(uris).size !== uris.length) complain(`group ${group}: a URI twice`);
    }
    return groups;
}

const groupOf = (tag) => `${tag.TYPE}/${tag['GROUP-ID']}`;
function groupBy(list, keyOf) {
    const found = new Map();
    for (const item of list) found.set(keyOf(item), [...(found.get(keyOf(item)) ?? []), item]);
    return found;
}

/* s. 4.3.4.2: what needs no look at the media. */
function checkVariantTags({ variants, media }, groups, complain) {
    const seen = new Set();
    const used = new Set();
    for (const variant of variants) {
        const key = [variant.URI, variant.AUDIO, variant.SUBTITLES].join();
        if (seen.has(key)) complain(`the variant ${variant.URI} twice`);
        seen.add(key);
        if (!variant.CODECS) complain(`${variant.URI}: without CODECS`);
        for (const type of ['AUDIO', 'SUBTITLES']) {
            if (variant[type] === undefined) continue;
            used.add(`${type}/${variant[type]}`);
            if (!groups.has(`${type}/${variant[type]}`)) complain(`${variant.URI}: there is no group ${type} ${variant[type]}`);
        }
        if (Number(variant['AVERAGE-BANDWIDTH']) > Number(variant.BANDWIDTH)) complain(`${variant.URI}: AVERAGE-BANDWIDTH over BANDWIDTH`);
    }
    for (const group of new Set(media.map(groupOf))) if (!used.has(group)) complain(`no variant uses the group ${group}`);
}

/* What a codec is called: case counts for nothing in the hex of AVC, and what follows the
 * mandatory fields of VP9 and AV1 may be left out. */
function sameCodec(said, real) {
    const [a, b] = [said.toLowerCase(), real.toLowerCase()];
    return a === b || (/^(vp09|av01)\./.test(b) && a.startsWith(`${b}.`));
}

function checkCodecs(variant, codecs, complain) {
    const said = (variant.CODECS ?? '').split(',').map((codec) => codec.trim());
    for (const codec of codecs) if (!said.some((one) => sameCodec(one, codec))) complain(`${variant.URI}: CODECS without ${codec}`);
    for (const one of said) if (!codecs.some((codec) => sameCodec(one, codec))) complain(`${variant.URI}: CODECS has ${one}, nothing in it is that`);
    if (new Set(said).size !== said.length) complain(`${variant.URI}: a codec twice in CODECS`);
}

/* A rate of bits as said is the measured one: not below it, and not far above. least: by the
 * EXTINFs; most: or by the media, if they are shorter. */
function checkRate(name, said, { least, most }, complain) {
    if (said < least - 1 || said > most * (1 + MEASURED) + 1000) complain(`${name} ${said}, measured ${Math.ceil(least)}`);
}

/* sounds: of the renditions in its group, measured. */
function checkVariant(variant, video, sounds, complain) {
    const { URI } = variant;
    checkCodecs(variant, [...new Set([video, ...sounds].map(({ codec }) => codec))], complain);
    const worst = (of) => ({
        least: of(video).least + Math.max(0, ...sounds.map((sound) => of(sound).least)),
        most: of(video).most + Math.max(0, ...sounds.map((sound) => of(sound).most)),
    });
    checkRate(`${URI}: BANDWIDTH`, Number(variant.BANDWIDTH), worst(({ peak }) => peak), complain);
    if (variant['AVERAGE-BANDWIDTH'] === undefined) complain(`${URI}: complete, and without AVERAGE-BANDWIDTH`);
    else checkRate(`${URI}: AVERAGE-BANDWIDTH`, Number(variant['AVERAGE-BANDWIDTH']), worst(({ average }) => average), complain);
    if (video.kind !== 'video') return;
    checkSize(variant, video.init, complain);
    checkRange(variant, video.init, complain);
    const rate = Number(variant['FRAME-RATE']);
    if (!(rate >= video.rate * (1 - RATE) && rate <= video.fastest * (1 + RATE)))
        complain(`${URI}: FRAME-RATE ${variant['FRAME-RATE']}, measured ${video.rate.toFixed(3)}`);
    for (const sound of sounds)
        if (Math.abs(sound.start - video.start) > START_S)
            complain(`${URI}: picture begins at ${at(video.start)}, sound at ${at(sound.start)}`);
}

/* To half a pixel, and one more where somebody has cut off what is behind the point. */
const near = (a, b) => Math.abs(a.width - b.width) <= 1 && Math.abs(a.height - b.height) <= 1;
const written = ({ width, height }) => `${Number(width.toFixed(2))}x${Number(height.toFixed(2))}`;

function checkSize(variant, { tkhd, shown, stretched }, complain) {
    const [width, height] = (variant.RESOLUTION ?? '0x0').split('x').map(Number);
    if (!near({ width, height }, shown)) complain(`${variant.URI}: RESOLUTION ${variant.RESOLUTION}, shown as ${written(shown)}`);
    if (!near(tkhd, stretched)) complain(`${variant.URI}: tkhd ${written(tkhd)}, its pictures are ${written(stretched)}`);
}

/* VIDEO-RANGE (a later version of the RFC): without it, SDR. */
function checkRange(variant, { colour }, complain) {
    const range = colour && ({ 16: 'PQ', 18: 'HLG' }[colour.transfer] ?? 'SDR');
    const said = variant['VIDEO-RANGE'] ?? 'SDR';
    if (!['SDR', 'HLG', 'PQ'].includes(said)) complain(`${variant.URI}: VIDEO-RANGE ${said}`);
    if (range && range !== said) complain(`${variant.URI}: VIDEO-RANGE ${said}, its pictures are ${range}`);
}

// ---- all of it -------------------------------------------------------------------------

/* As above. read(uri): the bytes of a file, by its URI from where the master is; undefined if
 * it is not there. Renditions of another master's validation may be given as media. */
export async function validate(read, name = 'master.m3u8', { incomplete = () => false, media = new Map() } = {}) {
    const complaints = [];
    const complain = (what) => complaints.push(`${name}: ${what}`);
    const bytes = await read(name);
    if (!bytes) return { complaints: [`${name}: is not there`], notes: [], media };
    const master = readMaster(bytes.toString(), complain);
    const groups = checkMediaTags(master, complain);
    checkVariantTags(master, groups, complain);
    const uris = new Set([...master.media, ...master.variants].map(({ URI }) => URI).filter(Boolean));
    for (const uri of uris)
        if (!media.has(uri)) media.set(uri, await validateMedia(read, uri, !incomplete(uri), complaints));
    for (const variant of master.variants) {
        const sounds = (groups.get(`AUDIO/${variant.AUDIO}`) ?? []).map(({ URI }) => media.get(URI));
        const video = media.get(variant.URI);
        if (video && sounds.every(Boolean)) checkVariant(variant, video, sounds, complain);
    }
    return { complaints, notes: notesOn([...uris], media), media };
}

async function validateMedia(read, uri, complete, complaints) {
    const bytes = await read(uri);
    if (!bytes) {
        complaints.push(`${uri}: is not there`);
        return undefined;
    }
    const complain = (what) => complaints.push(`${uri}: ${what}`);
    const list = readMediaPlaylist(bytes.toString(), complain);
    const text = checkMediaPlaylist(list, complain, complete);
    const rendition = new Rendition(uri, list, read, complaints, complete);
    if (list.segments.length > 0 && text) await checkTexts(rendition);
    else await rendition.readAll();
    return rendition.facts();
}

function notesOn(uris, media) {
    const targets = uris.map((uri) => media.get(uri)?.target).filter(Boolean);
    return new Set(targets).size > 1 ? [`target durations of ${[...new Set(targets)].join(' and ')} s`] : [];
}
