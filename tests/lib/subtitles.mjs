/* subtitles.mjs: clips with tracks of text, and what is served of them. */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ffmpeg, parseMaster, parseMedia } from './media.mjs';
import { waitFor } from './site.mjs';

const clock = (s) => {
    const ms = Math.round(s * 1000);
    const two = (n) => String(Math.trunc(n)).padStart(2, '0');
    return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)},${String(ms % 1000).padStart(3, '0')}`;
};

/* SRT of [start, end, text] cues, in seconds. */
export const srtOf = (cues) =>
    cues.map(([start, end, text], i) => `${i + 1}\n${clock(start)} --> ${clock(end)}\n${text}\n`).join('\n');

/* The cues of clean WebVTT as [start, end, text]. */
export function cuesOf(vtt) {
    const [head, ...blocks] = vtt.trimEnd().split('\n\n');
    assert.equal(head, 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000');
    const seconds = (text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    return blocks.map((block) => {
        const [times, ...lines] = block.split('\n');
        const [, start, end] = /^(\S+) --> (\S+)/.exec(times);
        return [seconds(start), seconds(end), lines.join('\n')];
    });
}

/*
 * A clip of a few seconds, without sound (AAC would begin before 0), with these tracks: { cues, codec, language, title, forced }.
 * start: when all of it begins, by its own clock.
 */
export async function clipWithTracks(file, tracks, { start = 0, seconds = 6 } = {}) {
    const inputs = [];
    const options = [];
    for (const [i, track] of tracks.entries()) {
        const text = `${file}.${i}.srt`;
        await fs.writeFile(text, srtOf(track.cues));
        inputs.push('-i', text);
        options.push(`-c:s:${i}`, track.codec);
        if (track.language) options.push(`-metadata:s:s:${i}`, `language=${track.language}`);
        if (track.title) options.push(`-metadata:s:s:${i}`, `title=${track.title}`);
        if (track.forced) options.push(`-disposition:s:${i}`, 'forced');
    }
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=25:d=${seconds}`],
        inputs,
        ['-map', '0', ...tracks.flatMap((_, i) => ['-map', String(i + 1)])],
        ['-c:v', 'libx264', '-preset', 'ultrafast', ...options],
        ['-output_ts_offset', String(start), file],
    );
    return file;
}

/* The video once each of its subtitles has its file, and there are these: ['en', 'de']. */
export function waitForSubtitles(site, id, names, options = {}) {
    return waitFor(
        async () => {
            const { json } = await site.api('GET', `/api/videos/${id}`);
            const there = json.subtitles.filter(({ url }) => url).map(({ lang }) => lang);
            return there.join() === names.join() && there.length === json.subtitles.length && json;
        },
        { what: `the subtitles ${names}`, ...options },
    );
}

/*
 * Fetches all subtitles that the master of a video names, as a player would, and checks what
 * must hold of each: { master, byName: { NAME: cues } }.
 */
export async function fetchSubtitles(site, video) {
    const base = path.posix.dirname(video.media);
    const get = async (url) => {
        const res = await site.request('GET', url);
        assert.equal(res.status, 200, url);
        assert.match(res.headers['cache-control'], /no-cache/);
        assert.ok(res.headers.etag);
        return res;
    };
    // The lists follow what the API says within moments.
    const named = async (file) => parseMaster((await get(`${base}/${file}`)).text);
    const master = await waitFor(
        async () => {
            const { json } = await site.api('GET', `/api/videos/${video.id}`);
            const n = json.subtitles.filter(({ url }) => url).length;
            const [found, player] = [await named('master.m3u8'), await named('player.m3u8')];
            return found.subtitles.length === n && isDeepStrictEqual(player.subtitles, found.subtitles) && found;
        },
        { what: 'the masters to name them' },
    );
    const byName = {};
    for (const media of master.subtitles) {
        assert.equal(media['GROUP-ID'], 'subs');
        assert.equal(media.DEFAULT, 'NO');
        assert.equal(media.AUTOSELECT, 'YES');
        assert.ok(!(media.NAME in byName), 'a name of its own');
        const list = parseMedia((await get(`${base}/${media.URI}`)).text);
        assert.equal(list.type, 'VOD');
        assert.ok(list.ended);
        assert.equal(list.segments.length, 1);
        if (video.duration) assert.ok(Math.abs(list.segments[0].duration - video.duration) < 1e-5);
        assert.ok(list.segments[0].duration <= list.target);
        const vtt = await get(`${base}/subs/${list.segments[0].uri}`);
        assert.equal(vtt.headers['content-type'], 'text/vtt; charset=utf-8');
        byName[media.NAME] = cuesOf(vtt.text);
    }
    for (const variant of master.variants)
        assert.equal(variant.SUBTITLES, master.subtitles.length ? 'subs' : undefined);
    return { master, byName };
}
