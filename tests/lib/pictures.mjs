/*
 * pictures.mjs: clips whose picture tells the time, and what is seen on the small pictures
 * of the seek bar and on posters.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

import { ffmpeg } from './media.mjs';
import { waitFor } from './site.mjs';

const DARKEST = 24; // of the 16 … 235 that a picture has
const STEP = 3; // a second

/*
 * A clip that gets brighter by the second, the lower half of its picture the same but half
 * as bright. options: seconds, size, gop (frames; keyframes are there and nowhere else),
 * rate, filters: more of them, quality and more: options of the output.
 */
export async function brighteningClip(file, options = {}) {
    const { seconds = 60, size = '160x90', gop = 25, rate = 25, filters = [], more = [] } = options;
    const quality = options.quality ?? ['-crf', '16'];
    const picture = [
        `nullsrc=s=4x4:r=${rate}:d=${seconds}`, // geq takes its time for each pixel
        `geq=lum='(${DARKEST}+${STEP}*T)*if(lt(Y,H/2),1,0.5)':cb=128:cr=128`,
        `scale=${size.replace('x', ':')}:flags=neighbor,setsar=1`,
        'format=yuv420p',
        ...filters,
    ].join(',');
    await ffmpeg(
        ['-f', 'lavfi', '-i', picture, '-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2'],
        ['-g', `${gop}`, '-keyint_min', `${gop}`, '-sc_threshold', '0', ...quality, ...more, file],
    );
}

/* The time that the picture of such a clip tells, by the grey of its upper half. */
export const tells = (grey) => ((grey * 219) / 255 + 16 - DARKEST) / STEP;

/* When the keyframes of a file are shown, in seconds from its start. */
export async function keyframes(file) {
    const { stdout } = await promisify(execFile)('ffprobe', [
        ...['-v', 'error', '-select_streams', 'v:0', '-of', 'json'],
        ...['-show_entries', 'format=start_time:packet=pts_time,flags', file],
    ]);
    const { packets, format } = JSON.parse(stdout);
    const keys = packets.filter(({ flags }) => flags.includes('K'));
    return keys.map((packet) => packet.pts_time - format.start_time).sort((a, b) => a - b);
}

/* Runs ffmpeg on bytes or a file and resolves to what it writes. */
function grey(input, args) {
    return new Promise((resolve, reject) => {
        const child = spawn('ffmpeg', ['-v', 'error', '-i', Buffer.isBuffer(input) ? 'pipe:0' : input, ...args, 'pipe:1']);
        const out = [];
        let said = '';
        child.stdout.on('data', (data) => out.push(data));
        child.stderr.on('data', (data) => (said += data));
        child.stdin.on('error', () => {});
        child.on('error', reject);
        child.on('close', (code) => (code === 0 ? resolve(Buffer.concat(out)) : reject(new Error(said))));
        child.stdin.end(Buffer.isBuffer(input) ? input : undefined);
    });
}

/* The brightness of columns × rows parts of the first picture of a file, row by row. */
export async function partsOf(input, { columns = 1, rows = 2, filters = [] } = {}) {
    // In two steps: ffmpeg's scaler looks at 256 pixels at most.
    const graph = [...filters, 'scale=40:40:flags=area', `scale=${columns}:${rows}:flags=area`, 'format=gray'].join(',');
    const raw = await grey(input, ['-frames:v', '1', '-vf', graph, '-f', 'rawvideo']);
    assert.equal(raw.length, columns * rows);
    return [...raw];
}

/* Likewise of what a cue of fetchStoryboard shows. */
export async function partsOfCue(cue, { columns = 1, rows = 2 } = {}) {
    const { pixels, width } = await cue.sheetPixels;
    const parts = [];
    for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
            let sum = 0;
            let n = 0;
            for (let y = Math.floor((cue.h * row) / rows); y < Math.floor((cue.h * (row + 1)) / rows); y++)
                for (let x = Math.floor((cue.w * column) / columns); x < Math.floor((cue.w * (column + 1)) / columns); x++) {
                    sum += pixels[(cue.y + y) * width + cue.x + x];
                    n++;
                }
            parts.push(sum / n);
        }
    return parts;
}

/* { width, height } of a picture. */
export function sizeOf(jpeg) {
    let at = 2;
    while (![0xc0, 0xc1, 0xc2].includes(jpeg[at + 1])) at += 2 + jpeg.readUInt16BE(at + 2);
    return { height: jpeg.readUInt16BE(at + 5), width: jpeg.readUInt16BE(at + 7) };
}

const seconds = (text) => text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);

/* [{ from, to, sheet, w, h, x, y }] of a storyboard.vtt. */
export function parseStoryboard(text) {
    const [head, ...cues] = text.trim().split('\n\n');
    assert.equal(head, 'WEBVTT');
    return cues.map((cue) => {
        const [times, payload] = cue.split('\n');
        const [, from, to] = /^(\d\d:\d\d:\d\d\.\d{3}) --> (\d\d:\d\d:\d\d\.\d{3})$/.exec(times);
        const [, sheet, x, y, w, h] = /^([\w.-]+\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$/.exec(payload);
        const place = Object.fromEntries(Object.entries({ x, y, w, h }).map(([k, v]) => [k, Number(v)]));
        return { from: seconds(from), to: seconds(to), sheet, ...place };
    });
}

async function fetchSheet(site, url) {
    const { status, headers, body } = await site.request('GET', url);
    assert.equal(status, 200, url);
    assert.equal(headers['content-type'], 'image/jpeg');
    const pixels = await grey(body, ['-vf', 'format=gray', '-f', 'rawvideo']);
    return { ...sizeOf(body), pixels };
}

/* The storyboard of a video as a player sees it: its cues, each with the bytes of its sheet,
 * checked for gaps. */
export async function fetchStoryboard(site, video) {
    const res = await site.request('GET', video.storyboard);
    assert.equal(res.status, 200);
    assert.equal(res.headers['content-type'], 'text/vtt; charset=utf-8');
    assert.match(res.headers['cache-control'], /no-cache/);
    assert.ok(res.headers.etag);
    const cues = parseStoryboard(res.text);
    const sheets = new Map();
    let end = 0;
    for (const cue of cues) {
        assert.equal(cue.from, end, 'no gap and no overlap');
        assert.ok(cue.to > cue.from);
        end = cue.to;
        const url = video.storyboard.replace('storyboard.vtt', cue.sheet);
        if (!sheets.has(url)) sheets.set(url, await fetchSheet(site, url));
        const { width, height, pixels } = sheets.get(url);
        assert.ok(cue.x + cue.w <= width && cue.y + cue.h <= height, 'it lies on its sheet');
        cue.sheetPixels = { pixels, width };
    }
    return { cues, etag: res.headers.etag, sheets: sheets.size, end };
}

/* The same once it reaches to the end, which lighttpd may tell a second late. */
export const wholeStoryboard = (site, video) =>
    waitFor(
        async () => {
            const found = await fetchStoryboard(site, video);
            return Math.abs(found.end - video.duration) < 0.002 && found;
        },
        { what: 'all of the storyboard' },
    );

/* What the activity log says of a kind of job of a video, the oldest first. */
export async function told(on, id, kind) {
    const { json } = await on.api('GET', '/api/activity?limit=1000');
    return json.activity.filter((line) => line.video_id === id && line.kind === kind).map(({ message }) => message);
}
