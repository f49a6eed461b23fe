/*
 * The validator itself: a small video that ffmpeg made, with playlists written here, is
 * found to be right; and with each rule broken, once each, that is told.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDecodable, isSync, readBoxes, readInitSegment, readMediaSegment } from '../lib/fmp4.mjs';
import { peakRate, validate } from '../lib/hls_validator.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';

let temp;
const good = new Map(); // path → bytes

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '25', '-sc_threshold', '0', '-pix_fmt', 'yuv420p', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'];
const MUX = ['-f', 'hls', '-hls_time', '1', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init.mp4'];
const PICTURE = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=25:d=4.6'];
const SOUND = ['-f', 'lavfi', '-i', 'sine=440:d=4.6:sample_rate=48000'];

/* What ffmpeg writes, in a folder: times from 0 on, so that they are those of the sound. */
async function encode(dir, words) {
    await fs.mkdir(path.join(temp.dir, dir));
    const at = (name) => path.join(temp.dir, dir, name);
    await ffmpeg(words.flat(), '-avoid_negative_ts', 'disabled', MUX, '-hls_segment_filename', at('%d.m4s'), at('list.m3u8'));
    const files = (await fs.readdir(path.join(temp.dir, dir))).filter((name) => name !== 'list.m3u8');
    for (const name of files) good.set(`${dir}/${name}`, await fs.readFile(at(name)));
    const list = await fs.readFile(at('list.m3u8'), 'utf8');
    return [...list.matchAll(/#EXTINF:([\d.]+),\n(\S+)/g)].map(([, duration, uri]) => ({ duration: Number(duration), uri, bytes: good.get(`${dir}/${uri}`).length }));
}

const mediaList = (segments) => `${[
    '#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:1', '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-PLAYLIST-TYPE:VOD',
    '#EXT-X-INDEPENDENT-SEGMENTS', '#EXT-X-MAP:URI="init.mp4"',
    ...segments.map(({ duration, uri }) => `#EXTINF:${duration.toFixed(6)},\n${uri}`), '#EXT-X-ENDLIST',
].join('\n')}\n`;

/* By hand, for segments of a second and a shorter one at the end. */
const rates = (segments) => ({
    peak: Math.ceil(Math.max(...segments.filter(({ duration }) => duration > 0.5).map(({ bytes, duration }) => (bytes * 8) / duration))),
    average: Math.ceil((segments.reduce((n, { bytes }) => n + bytes, 0) * 8) / segments.reduce((n, { duration }) => n + duration, 0)),
});

let numbers;

before(async () => {
    temp = await tempDir();
    const [video, sound] = await Promise.all([encode('v', [PICTURE, H264]), encode('a', [SOUND, '-c:a', 'aac', '-b:a', '64k'])]);
    const [v, a] = [rates(video), rates(sound)];
    numbers = { bandwidth: v.peak + a.peak, average: v.average + a.average, video: v, sound: a };
    good.set('v/index.m3u8', Buffer.from(mediaList(video)));
    good.set('a/index.m3u8', Buffer.from(mediaList(sound)));
    good.set('subs/de.vtt', Buffer.from('WEBVTT\n\n00:00.000 --> 00:01.000\nHallo\n'));
    good.set('subs/de.m3u8', Buffer.from('#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:4.6,\nde.vtt\n#EXT-X-ENDLIST\n'));
    good.set('master.m3u8', Buffer.from([
        '#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="One, two",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="a/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,FORCED=NO,URI="subs/de.m3u8"',
        `#EXT-X-STREAM-INF:BANDWIDTH=${numbers.bandwidth},AVERAGE-BANDWIDTH=${numbers.average},CODECS="${codec()},mp4a.40.2",RESOLUTION=160x90,FRAME-RATE=25.000,AUDIO="audio",SUBTITLES="subs"`,
        'v/index.m3u8', '',
    ].join('\n')));
});
after(() => temp.remove());

/* "avc1.xxxxxx" by the SPS, which is found by itself. */
function codec() {
    const init = good.get('v/init.mp4');
    const at = init.indexOf('avcC') + 4;
    return `avc1.${init.toString('hex', at + 1, at + 4)}`;
}

const validated = (files, options) => validate(async (uri) => files.get(uri), 'master.m3u8', options);

/* The complaints about a copy in which fn has changed something. */
async function broken(fn, options) {
    const files = new Map([...good].map(([name, bytes]) => [name, Buffer.from(bytes)]));
    fn(files);
    return (await validated(files, options)).complaints;
}

/* A change of a text: in a file, each `from` becomes `to`; it has to be there. */
const text = (file, from, to) => (files) => {
    const before = files.get(file).toString();
    const after = before.replace(from, to);
    assert.notEqual(after, before, `${from} is in ${file}`);
    files.set(file, Buffer.from(after));
};
const master = (from, to) => text('master.m3u8', from, to);
const video = (from, to) => text('v/index.m3u8', from, to);

/* The body of the first box of that name, anywhere in it, as a view into buf. */
function box(buf, ...names) {
    let at = 0;
    let end = buf.length;
    for (const name of names) {
        const found = readBoxes(buf, at, end).find(({ type }) => type === name);
        assert.ok(found, name);
        [at, end] = [found.body, found.end];
    }
    return buf.subarray(at, end);
}
const bytes = (file, names, change) => (files) => change(box(files.get(file), ...names));
const TRAF = ['moof', 'traf'];

/* Adds to tfdt, which ffmpeg writes in 64 bits. */
const later = (ticks) => (tfdt) => tfdt.writeBigUInt64BE(tfdt.readBigUInt64BE(4) + BigInt(ticks), 4);
const renamed = (buf, from, to) => {
    const at = buf.indexOf(from, 0, 'latin1');
    assert.ok(at >= 0, from);
    buf.write(to, at, 'latin1');
};

const BREAKS = {
    // The texts.
    'no EXTM3U': [video('#EXTM3U\n', ''), /does not begin with #EXTM3U/],
    'EXTM3U twice': [video('#EXTM3U\n', '#EXTM3U\n#EXTM3U\n'), /EXTM3U twice/],
    'a byte order mark': [video('#EXTM3U', '\ufeff#EXTM3U'), /byte order mark/],
    'carriage returns': [video(/\n/g, '\r\n'), /carriage returns/],
    'no end of the last line': [video(/\n$/, ''), /last line/],
    'an unknown tag': [video('#EXT-X-ENDLIST', '#EXT-X-WHAT\n#EXT-X-ENDLIST'), /EXT-X-WHAT is not a tag/],
    'a tag of a master in a media playlist': [video('#EXT-X-VERSION:7', '#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=1'), /is a master playlist where/],
    'a tag of a media playlist in a master': [master('#EXT-X-VERSION:7', '#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4'), /EXT-X-TARGETDURATION in a master/],
    'no EXT-X-VERSION': [video('#EXT-X-VERSION:7\n', ''), /without EXT-X-VERSION/],
    'no EXT-X-VERSION in the master': [master('#EXT-X-VERSION:7\n', ''), /master.m3u8: without EXT-X-VERSION/],
    'EXT-X-VERSION twice': [video('#EXT-X-VERSION:7\n', '#EXT-X-VERSION:7\n#EXT-X-VERSION:7\n'), /EXT-X-VERSION twice/],
    'EXT-X-VERSION too low': [video('VERSION:7', 'VERSION:4'), /EXT-X-VERSION 4, what is in it needs 6/],
    'EXT-X-VERSION that is no number': [video('VERSION:7', 'VERSION:seven'), /EXT-X-VERSION: seven is not/],
    'no EXT-X-TARGETDURATION': [video('#EXT-X-TARGETDURATION:1\n', ''), /without EXT-X-TARGETDURATION/],
    'EXT-X-TARGETDURATION with a point': [video('TARGETDURATION:1', 'TARGETDURATION:1.0'), /EXT-X-TARGETDURATION: 1.0 is not/],
    'EXT-X-TARGETDURATION too short': [video('#EXTINF:1.000000', '#EXTINF:1.500000'), /EXTINF 1.5 over EXT-X-TARGETDURATION 1/],
    'EXT-X-TARGETDURATION after a segment': [video(/(#EXT-X-TARGETDURATION:1\n)([^]*)(#EXT-X-END)/, '$2$1$3'), /EXT-X-TARGETDURATION after the first segment/],
    'EXT-X-MEDIA-SEQUENCE not 0': [video('SEQUENCE:0', 'SEQUENCE:3'), /EXT-X-MEDIA-SEQUENCE 3/],
    'no type': [video('#EXT-X-PLAYLIST-TYPE:VOD\n', ''), /not of type VOD/],
    'a type that does not exist': [video('TYPE:VOD', 'TYPE:LIVE'), /EXT-X-PLAYLIST-TYPE: LIVE/],
    'no EXT-X-ENDLIST': [video('#EXT-X-ENDLIST\n', ''), /without EXT-X-ENDLIST/],
    'EXT-X-ENDLIST with a value': [video('#EXT-X-ENDLIST', '#EXT-X-ENDLIST:1'), /EXT-X-ENDLIST: 1 is not/],
    'a segment after EXT-X-ENDLIST': [video(/(#EXTINF:0.6[^]*)(#EXT-X-ENDLIST\n)/, '$2$1'), /after EXT-X-ENDLIST/],
    'no EXT-X-INDEPENDENT-SEGMENTS': [video('#EXT-X-INDEPENDENT-SEGMENTS\n', ''), /without EXT-X-INDEPENDENT-SEGMENTS/],
    'no EXT-X-MAP': [video('#EXT-X-MAP:URI="init.mp4"\n', ''), /without EXT-X-MAP/],
    'EXT-X-MAP without URI': [video('URI="init.mp4"', 'BYTERANGE="1@0"'), /EXT-X-MAP: without URI/],
    'EXT-X-MAP without quotes': [video('"init.mp4"', 'init.mp4'), /URI=init.mp4 is not written as quoted/],
    'EXT-X-MAP of a file that is not there': [video('init.mp4', 'other.mp4'), /v\/other.mp4: is not there/],
    'EXTINF without a comma': [video('#EXTINF:1.000000,', '#EXTINF:1.000000'), /EXTINF: 1.000000 is not/],
    'EXTINF without a URI': [video('0.m4s\n', ''), /an EXTINF without its URI/],
    'a URI without EXTINF': [video('#EXTINF:1.000000,\n0.m4s', '0.m4s'), /0.m4s without EXTINF/],
    'EXTINF of nothing': [video('#EXTINF:1.000000', '#EXTINF:0'), /EXTINF of 0/],
    'EXTINF too long': [video('#EXTINF:1.000000', '#EXTINF:1.040000'), /0.m4s: EXTINF 1.04, it is 1 s long/],
    'EXTINFs that drift': [video(/EXTINF:1.000000/g, 'EXTINF:1.001400'), /EXTINFs are 4.6056 s together, it is 4.6 s/],
    'a segment twice': [video('1.m4s', '0.m4s'), /0.m4s twice/],
    'a segment that is not there': [(files) => files.delete('v/2.m4s'), /v\/2.m4s: is not there/],
    'a playlist that is not there': [(files) => files.delete('a/index.m3u8'), /a\/index.m3u8: is not there/],
    'a URI with a space': [video('1.m4s', '1 .m4s'), /a URI with a space/],
    // The init segment.
    'an init segment that is none': [(files) => files.set('v/init.mp4', files.get('v/0.m4s')), /v\/init.mp4: does not begin with ftyp/],
    'an init segment that is cut off': [(files) => files.set('v/init.mp4', files.get('v/init.mp4').subarray(0, -1)), /v\/init.mp4: the box moov runs over/],
    'an edit list of two': [edited([[100, 0], [100, 5]]), /v\/init.mp4: an edit list of more than one/],
    'an edit list that begins with nothing': [edited([[100, -1]]), /v\/init.mp4: an edit list that begins with nothing/],
    'an edit list that hides the first picture of all': [edited([[100, 12800]]), /picture begins at -0.92 s, sound at -0.0213 s/],
    // Segments.
    'a box that runs over': [(files) => files.get('v/1.m4s').writeUInt32BE(1 << 30, 0), /v\/1.m4s: the box \w+ runs over/],
    'bytes behind the last box': [(files) => files.set('v/1.m4s', Buffer.concat([files.get('v/1.m4s'), Buffer.alloc(3)])), /3 bytes after the last box/],
    'no tfdt': [bytes('v/1.m4s', TRAF, (traf) => renamed(traf, 'tfdt', 'free')), /v\/1.m4s: 0 boxes tfdt/],
    'tfhd with a base-data-offset': [bytes('v/1.m4s', [...TRAF, 'tfhd'], (tfhd) => (tfhd[3] |= 1)), /base-data-offset/],
    'tfhd not relative to its moof': [bytes('v/1.m4s', [...TRAF, 'tfhd'], (tfhd) => (tfhd[1] &= ~2)), /default-base-is-moof/],
    'another track': [bytes('v/1.m4s', [...TRAF, 'tfhd'], (tfhd) => (tfhd[7] = 9)), /track 9/],
    'samples outside the mdat': [bytes('v/1.m4s', [...TRAF, 'trun'], (trun) => trun.writeInt32BE(8, 8)), /not in the mdat/],
    'an mdat in front of its moof': [(files) => renamed(files.get('v/1.m4s'), 'moof', 'free'), /an mdat without its moof/],
    'a gap': [bytes('v/2.m4s', [...TRAF, 'tfdt'], later(512)), /v\/2.m4s: is decoded from/],
    'a gap in the sound of one sample': [bytes('a/2.m4s', [...TRAF, 'tfdt'], later(1)), /a\/2.m4s: is decoded from/],
    'an overlap': [bytes('v/2.m4s', [...TRAF, 'tfdt'], later(-512)), /v\/2.m4s: is shown before/],
    'two segments changed for each other': [(files) => { const one = files.get('v/1.m4s'); files.set('v/1.m4s', files.get('v/2.m4s')); files.set('v/2.m4s', one); }, /v\/1.m4s: is decoded from/],
    'a longer sample': [bytes('a/1.m4s', [...TRAF, 'tfhd'], (tfhd) => tfhd.writeUInt32BE(1030, 8)), /a\/2.m4s: is decoded from 96256 on, the one before ends at 96538/],
    'no sync sample at its beginning': [bytes('v/1.m4s', [...TRAF, 'trun'], (trun) => { assert.ok(trun[3] & 4); trun.writeUInt32BE(0x1010000, 12); }), /v\/1.m4s: does not begin with a sync sample/],
    'a sync sample that is no IDR': [bytes('v/1.m4s', ['mdat'], notIdr), /v\/1.m4s: its first sample is none that avc1/],
    'a NAL unit that runs over': [bytes('v/1.m4s', ['mdat'], (mdat) => mdat.writeUInt32BE(1 << 28, 0)), /NAL unit runs over/],
    'a picture shown before its segment': [bytes('v/1.m4s', [...TRAF, 'trun'], compose(-9000)), /a sample is shown before its first one/],
    'two pictures at one time': [bytes('v/1.m4s', [...TRAF, 'trun'], compose(-512)), /two samples at one time/],
    'a timescale that is another': [bytes('v/init.mp4', ['moov', 'trak', 'mdia', 'mdhd'], (mdhd) => mdhd.writeUInt32BE(mdhd.readUInt32BE(12) / 2, 12)), /v\/0.m4s: EXTINF 1, it is 2 s/],
    // The master.
    'BANDWIDTH missing': [master(/BANDWIDTH=\d+,AV/, 'AV'), /without BANDWIDTH/],
    'BANDWIDTH in quotes': [master(/BANDWIDTH=(\d+),AV/, 'BANDWIDTH="$1",AV'), /is not written as integer/],
    'BANDWIDTH twice': [master('RESOLUTION', 'BANDWIDTH=1,RESOLUTION'), /BANDWIDTH twice/],
    'BANDWIDTH too low': [master(/:BANDWIDTH=\d+/, () => `:BANDWIDTH=${numbers.bandwidth - 10}`), /index.m3u8: BANDWIDTH \d+, measured/],
    'BANDWIDTH too high': [master(/:BANDWIDTH=\d+/, () => `:BANDWIDTH=${numbers.bandwidth * 1.05 + 1000 | 0}`), /index.m3u8: BANDWIDTH \d+, measured/],
    'BANDWIDTH without the sound': [master(/:BANDWIDTH=\d+/, () => `:BANDWIDTH=${numbers.video.peak}`), /index.m3u8: BANDWIDTH \d+, measured/],
    'AVERAGE-BANDWIDTH too low': [master(/AVERAGE-BANDWIDTH=\d+/, () => `AVERAGE-BANDWIDTH=${numbers.average - 10}`), /AVERAGE-BANDWIDTH \d+, measured/],
    'AVERAGE-BANDWIDTH over BANDWIDTH': [master(/AVERAGE-BANDWIDTH=\d+/, 'AVERAGE-BANDWIDTH=99999999'), /AVERAGE-BANDWIDTH over BANDWIDTH/],
    'no AVERAGE-BANDWIDTH': [master(/AVERAGE-BANDWIDTH=\d+,/, ''), /without AVERAGE-BANDWIDTH/],
    'no CODECS': [master(/CODECS="[^"]*",/, ''), /without CODECS/],
    'CODECS of another level': [master(/(CODECS="avc1.\w{4})\w\w/, '$1ff'), /CODECS has avc1/],
    'CODECS without the sound': [master(',mp4a.40.2', ''), /CODECS without mp4a.40.2/],
    'CODECS of another sound': [master('mp4a.40.2', 'mp4a.40.5'), /CODECS has mp4a.40.5/],
    'RESOLUTION wrong': [master('160x90', '160x92'), /RESOLUTION 160x92, shown as 160x90/],
    'no RESOLUTION': [master('RESOLUTION=160x90,', ''), /RESOLUTION undefined, shown as 160x90/],
    'a VIDEO-RANGE that is none': [master('RESOLUTION', 'VIDEO-RANGE=HDR,RESOLUTION'), /VIDEO-RANGE HDR/],
    'a VIDEO-RANGE that is not its own': [master('RESOLUTION', 'VIDEO-RANGE=PQ,RESOLUTION'), /VIDEO-RANGE PQ, its pictures are SDR/],
    'a turn that is not told': [bytes('v/init.mp4', ['moov', 'trak', 'tkhd'], turn), /RESOLUTION 160x90, shown as 90x160/],
    'RESOLUTION in quotes': [master('160x90', '"160x90"'), /is not written as resolution/],
    'a tkhd of another size': [bytes('v/init.mp4', ['moov', 'trak', 'tkhd'], (tkhd) => tkhd.writeUInt32BE(200 * 65536, tkhd.length - 8)), /tkhd 200x90, its pictures are 160x90/],
    'FRAME-RATE wrong': [master('25.000', '30.000'), /FRAME-RATE 30.000, measured 25/],
    'no FRAME-RATE': [master('FRAME-RATE=25.000,', ''), /FRAME-RATE undefined/],
    'a group that does not exist': [master(',AUDIO="audio"', ',AUDIO="other"'), /there is no group AUDIO other/],
    'a group that nobody uses': [master(',SUBTITLES="subs"', ''), /no variant uses the group SUBTITLES\/subs/],
    'a name twice': [master(/(#EXT-X-MEDIA:TYPE=AUDIO.*\n)/, '$1$1'), /a NAME twice/],
    'two defaults': [master(/(#EXT-X-MEDIA:TYPE=AUDIO.*\n)/, (line) => line + line.replace('One', 'Two')), /two that are DEFAULT/],
    'DEFAULT that is not selected': [master('AUTOSELECT=YES', 'AUTOSELECT=NO'), /DEFAULT and not AUTOSELECT/],
    'DEFAULT that is neither': [master('DEFAULT=YES', 'DEFAULT=MAYBE'), /DEFAULT=MAYBE is not written as yesno/],
    'no TYPE': [master('TYPE=AUDIO,', ''), /without TYPE/],
    'a TYPE that does not exist': [master('TYPE=AUDIO', 'TYPE=SMELL'), /TYPE=SMELL/],
    'no NAME': [master('NAME="One, two",', ''), /without NAME/],
    'NAME without quotes': [master('"Deutsch"', 'Deutsch'), /NAME=Deutsch is not written as quoted/],
    'a quote in a NAME': [master('Deutsch', 'Deu"tsch'), /no attribute list/],
    'an attribute that does not exist': [master('CHANNELS="1"', 'COLOUR="1"'), /COLOUR is not one of its attributes/],
    'a space between attributes': [master(',DEFAULT', ', DEFAULT'), /no attribute list/],
    'FORCED sound': [master('CHANNELS', 'FORCED=YES,CHANNELS'), /FORCED of AUDIO/],
    'a LANGUAGE that is none': [master('LANGUAGE="de"', 'LANGUAGE="d"'), /LANGUAGE d is not/],
    'CHANNELS that are none': [master('CHANNELS="1"', 'CHANNELS="stereo"'), /CHANNELS stereo/],
    'subtitles without URI': [master(',URI="subs/de.m3u8"', ''), /URI of SUBTITLES/],
    'subtitles that are none': [text('subs/de.vtt', 'WEBVTT', 'SUBRIP'), /is no WebVTT/],
    'a variant twice': [master(/(#EXT-X-STREAM-INF.*\n.*\n)/, '$1$1'), /the variant v\/index.m3u8 twice/],
    'a variant without URI': [master('v/index.m3u8\n', ''), /EXT-X-STREAM-INF without its URI/],
    'a URI of nothing': [master('v/index.m3u8\n', 'v/index.m3u8\na/index.m3u8\n'), /a\/index.m3u8 without EXT-X-STREAM-INF/],
    'no master': [(files) => files.delete('master.m3u8'), /master.m3u8: is not there/],
    'sound that begins elsewhere': [(files) => { for (let k = 0; k < 5; k++) later(48000)(box(files.get(`a/${k}.m4s`), ...TRAF, 'tfdt')); }, /picture begins at 0 s, sound at 0.9787 s/],
};

/* Puts an edit list of [duration, media_time] pairs into the init segment of the picture. */
function edited(edits) {
    return (files) => {
        const init = files.get('v/init.mp4');
        const moov = readBoxes(init).find(({ type }) => type === 'moov');
        const trak = readBoxes(init, moov.body, moov.end).find(({ type }) => type === 'trak');
        renamed(init, 'edts', 'free');
        const edts = Buffer.alloc(8 + 16 + 12 * edits.length);
        edts.writeUInt32BE(edts.length, 0);
        edts.write('edts', 4);
        edts.writeUInt32BE(edts.length - 8, 8);
        edts.write('elst', 12);
        edts.writeUInt32BE(edits.length, 20);
        edits.forEach(([duration, time], i) => {
            edts.writeUInt32BE(duration, 24 + 12 * i);
            edts.writeInt32BE(time, 28 + 12 * i);
            edts.writeUInt32BE(65536, 32 + 12 * i);
        });
        for (const { at } of [moov, trak]) init.writeUInt32BE(init.readUInt32BE(at) + edts.length, at);
        files.set('v/init.mp4', Buffer.concat([init.subarray(0, trak.end), edts, init.subarray(trak.end)]));
    };
}

/* The first IDR picture of it becomes one that is none. */
function notIdr(mdat) {
    for (let at = 0; at < mdat.length; at += 4 + mdat.readUInt32BE(at))
        if ((mdat[at + 4] & 31) === 5) {
            mdat[at + 4] = (mdat[at + 4] & 0xe0) | 1;
            return;
        }
    assert.fail('no IDR picture in it');
}

/* By a quarter, in its matrix. */
function turn(tkhd) {
    const at = tkhd.length - 44;
    tkhd.writeInt32BE(0, at);
    tkhd.writeInt32BE(65536, at + 4);
    tkhd.writeInt32BE(-65536, at + 12);
    tkhd.writeInt32BE(0, at + 16);
}

/* Adds to the composition offset of its third sample. */
function compose(ticks) {
    return (trun) => {
        const has = trun.readUInt32BE(0) & 0xffffff;
        assert.ok(has & 0x800 && has & 4);
        const width = [0x100, 0x200, 0x400, 0x800].filter((bit) => has & bit).length * 4;
        const at = 16 + 3 * width - 4;
        trun[0] = 1; // signed
        trun.writeInt32BE(trun.readInt32BE(at) + ticks, at);
    };
}

describe('the validator', () => {
    test('finds nothing wrong with what is right', async () => {
        const { complaints, notes, media } = await validated(good);
        assert.deepEqual(complaints, []);
        assert.deepEqual(notes, []);
        const { duration, frames, kind } = media.get('v/index.m3u8');
        assert.deepEqual([duration, frames, kind], [4.6, 115, 'video']);
    });

    for (const [name, [fn, expected]] of Object.entries(BREAKS))
        test(`tells of ${name}`, async () => {
            const complaints = await broken(fn);
            assert.ok(complaints.some((what) => expected.test(what)), `${expected}: ${JSON.stringify(complaints)}`);
        });

    test('asks of an incomplete rendition only what is there', async () => {
        const incomplete = (uri) => uri === 'v/index.m3u8';
        const missing = (files) => {
            for (const name of ['v/1.m4s', 'v/3.m4s', 'v/init.mp4']) files.delete(name);
            master(/:BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+/, ':BANDWIDTH=5')(files);
        };
        assert.deepEqual(await broken(missing, { incomplete }), []);
        assert.notDeepEqual(await broken(missing), []);
        const wrong = (files) => {
            missing(files);
            video('#EXT-X-VERSION:7\n', '')(files);
        };
        assert.equal((await broken(wrong, { incomplete })).length, 1);
    });

    test('takes segments of several moofs, and of any length', async () => {
        const join = (files) => {
            files.set('v/0.m4s', Buffer.concat([0, 1].map((k) => files.get(`v/${k}.m4s`))));
            files.delete('v/1.m4s');
            video('#EXTINF:1.000000,\n0.m4s\n#EXTINF:1.000000,\n1.m4s', '#EXTINF:2.000000,\n0.m4s')(files);
            video('TARGETDURATION:1', 'TARGETDURATION:2')(files);
        };
        const complaints = await broken(join);
        assert.ok(complaints.every((what) => /BANDWIDTH/.test(what)), JSON.stringify(complaints));
    });

    test('notes target durations that differ', async () => {
        const files = new Map(good);
        video('TARGETDURATION:1', 'TARGETDURATION:2')(files);
        assert.deepEqual((await validated(files)).notes, ['target durations of 1 and 2 s']);
    });
});

test('the peak is that of the worst stretch of half to one and a half target durations', () => {
    const of = (...list) => list.map(([duration, bytes]) => ({ duration, bytes }));
    assert.equal(peakRate(of([2, 50], [2, 100], [2, 50]), 2), 400);
    assert.equal(peakRate(of([2, 50], [1, 50]), 2), 400, 'a tail of half the target counts');
    assert.equal(peakRate(of([2, 50], [0.5, 50]), 2), 320, 'a shorter one with the one before');
    assert.equal(peakRate(of([1, 1], [1, 11], [1, 11], [1, 1], [1, 1]), 4), 88, 'short ones together');
    assert.equal(peakRate(of([0.4, 10]), 1), 200, 'nothing is long enough: the average');
});

/* Each by what the encoder was told, not by what was read. */
describe('codecs are told by their configuration', { concurrency: 2 }, () => {
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=0.4'];
    const sound = ['-f', 'lavfi', '-i', 'sine=d=0.4:sample_rate=48000'];
    const cases = {
        hevc: [picture, ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-pix_fmt', 'yuv420p', '-tag:v', 'hvc1'], /^hvc1\.1\.6\.L60\.90$/],
        'hevc in 10 bits': [picture, ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-pix_fmt', 'yuv420p10', '-tag:v', 'hvc1'], /^hvc1\.2\.4\.L60\.90$/],
        vp9: [picture, ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p'], /^vp09\.00\.\d\d\.08$/],
        'vp9 in 10 bits': [picture, ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-pix_fmt', 'yuv420p10', '-profile:v', '2'], /^vp09\.02\.\d\d\.10$/],
        av1: [picture, ['-c:v', 'libsvtav1', '-preset', '12', '-pix_fmt', 'yuv420p'], /^av01\.0\.\d\dM\.08$/],
        'AVC, High': [picture, ['-c:v', 'libx264', '-profile:v', 'high', '-level', '3.1', '-pix_fmt', 'yuv420p'], /^avc1\.64001f$/],
        'AAC-LC': [sound, ['-c:a', 'aac'], /^mp4a\.40\.2$/],
        Opus: [sound, ['-c:a', 'libopus'], /^opus$/],
        FLAC: [sound, ['-c:a', 'flac', '-strict', '-2'], /^fLaC$/],
        'AC-3': [sound, ['-c:a', 'ac3', '-movflags', '+frag_custom+delay_moov+default_base_moof'], /^ac-3$/],
    };
    for (const [name, [input, codec, expected]] of Object.entries(cases))
        test(name, async () => {
            const file = path.join(temp.dir, `${name.replace(/\W/g, '')}.mp4`);
            await ffmpeg(input, '-movflags', '+frag_custom+empty_moov+default_base_moof', codec, file);
            const all = await fs.readFile(file);
            const moof = readBoxes(all).find(({ type }) => type === 'moof').at;
            const end = readBoxes(all).find(({ type }) => type === 'mfra')?.at;
            const init = readInitSegment(all.subarray(0, moof));
            assert.match(init.codec, expected);
            const media = all.subarray(moof, end);
            const { samples } = readMediaSegment(media, init);
            assert.ok(isSync(samples[0]));
            for (const sample of samples.slice(0, 3))
                assert.equal(isDecodable(media, sample, init), isSync(sample), `at ${sample.pts}`);
            if (init.kind === 'video') assert.ok(!isSync(samples[1]));
        });
});
