/*
 * upload_arriving.mjs: part 2 of bench-upload. A long video is uploaded over a line of 50
 * Mb/s and watched meanwhile: how soon its first segment can be fetched, and the watch page
 * in Chromium, opened as soon as the video is listed, shows a picture; how far the encode is
 * behind what has arrived, and when the last segment is there. Once for a file that begins
 * with its index, once for one that ends with it and is sent as the page does it: the index
 * ahead.
 *
 * A machine can follow the line if the same ffmpeg commands alone are fast enough, with what
 * the worker may add to them. On one that cannot, the speed of the encode counts instead.
 */
import { indexOf, PacedUpload } from '../lib/arriving.mjs';
import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { childrenOf, demand, timelineOf } from '../lib/demand.mjs';
import { sleep, waitFor } from '../lib/site.mjs';
import { clip, clipWithIndexLast } from './clip.mjs';
import * as measure from './measure.mjs';
import { commandsOf, secondsAlone } from './upload_alone.mjs';
import { CLIP_S, MB, needsFfmpeg, removeVideos } from './upload_stage.mjs';

export const title = `${MB} MB at 50 Mb/s, watched while they come in`;
export const worker = true;
export const limitS = 900;

const RATE = 50e6 / 8; // bytes a second
const SEGMENT_LIMIT_S = 3;
const FRAME_LIMIT_S = 4;
const BEHIND_LIMIT_S = 10; // of media
const LAST_LIMIT_S = 5;
const OVERHEAD = 1.1; // what the worker may add to ffmpeg alone, as bench-encode has it
const SAMPLE_MS = 1000;
const ALONE_S = Math.min(30, CLIP_S); // of media
const PATIENCE_S = 30; // with the last segment

export function needs() {
    needsFfmpeg();
    measure.needs(measure.hasProgram(process.env.DROPSTREAM_CHROMIUM ?? 'chromium'), 'chromium');
}

export async function prepare() {
    await clip(CLIP_S);
    await clipWithIndexLast(CLIP_S);
}

const since = (begun) => (performance.now() - begun) / 1000;

// ---- the beginning -------------------------------------------------------------------

/* Its video and timeline, and first: the seconds from the beginning of the upload until the
 * first segments of picture and sound were fetched. */
async function firstSegments(site, upload) {
    const video = await upload.video(({ media }) => media);
    const timeline = await timelineOf(site, video);
    const urls = Object.values(timeline).map((rendition) => rendition.url(0));
    const answers = await Promise.all(urls.map((url) => demand(site, url, { retryMs: 50 })));
    for (const { status } of answers) if (status !== 200) throw new Error(`a first segment: ${status}`);
    return { video, timeline, first: since(upload.began) };
}

/* Resolves when the page shows a picture of the video. */
const pictureIn = (page) =>
    page.evaluate(
        () =>
            new Promise((resolve) => {
                const look = () => {
                    const player = document.querySelector('stream-video');
                    if (!player?.nativeEl) return setTimeout(look, 10);
                    player.nativeEl.requestVideoFrameCallback(resolve);
                    player.muted = true;
                    player.play();
                };
                look();
            }),
    );

/* Seconds from the beginning of the upload to a picture in the watch page. */
async function firstPicture(browser, site, upload) {
    const page = await watchedPage(browser);
    const { id } = await upload.video();
    await page.goto(`${site.url}/watch/${id}`, { waitUntil: 'commit' });
    await pictureIn(page);
    const seconds = since(upload.began);
    const { complaints } = page;
    await page.context().close();
    if (complaints.length) throw new Error(`the page complains: ${complaints.join('; ')}`);
    return seconds;
}

// ---- the rest --------------------------------------------------------------------------

/* { arrived, encoded }: seconds of the video from its beginning; arrived is undefined when
 * it is whole. */
async function progress(site, { video, timeline }) {
    const { json } = await site.api('GET', `/api/videos/${video.id}/segments`);
    const ends = json.renditions.map(({ kind, runs: [run] }) => {
        const { starts, seconds } = timeline[kind];
        return run.state === 'ready' ? (starts[run.count] ?? seconds) : 0;
    });
    return { at: performance.now(), arrived: json.arrived ?? undefined, encoded: Math.min(...ends) };
}

/* Looks once a second until all has been sent. */
async function follow(site, watched, upload, sent) {
    const samples = [];
    while (upload.sent < upload.size) {
        const part = (upload.sent / upload.size) * watched.video.duration;
        const now = await progress(site, watched);
        if (now.arrived !== undefined) samples.push({ ...now, sent: part });
        await Promise.race([sleep(SAMPLE_MS), sent]);
    }
    return samples;
}

/* When every segment is there, or it has taken too long. */
async function allAreThere(site, watched) {
    const total = Math.min(...Object.values(watched.timeline).map(({ seconds }) => seconds));
    const begun = performance.now();
    while (since(begun) < PATIENCE_S && (await progress(site, watched)).encoded < total) await sleep(20);
    return performance.now();
}

/* How many times as fast as real time media were encoded between two samples. */
const speedBetween = (a, b) => ((b.encoded - a.encoded) * 1000) / (b.at - a.at);

/* One upload from its first byte to its last segment; all in seconds. */
async function uploadAndWatch(browser, site, file, index) {
    const upload = await PacedUpload.begin(site, file, { rate: RATE, index });
    const sent = upload.sendTo(upload.size, { rate: RATE }).then(() => performance.now());
    const watch = async () => {
        const [watched, picture] = await Promise.all([
            firstSegments(site, upload),
            firstPicture(browser, site, upload),
        ]);
        const samples = await follow(site, watched, upload, sent);
        return { ...watched, picture, samples, end: await allAreThere(site, watched) };
    };
    const finish = async () => {
        await sent;
        const { status } = await upload.finish();
        if (status !== 201) throw new Error(`the upload was answered with ${status}`);
    };
    const [found, lastByte] = await Promise.all([watch(), sent, finish()]);
    return { ...found, sending: (lastByte - upload.began) / 1000, last: (found.end - lastByte) / 1000 };
}

/* What is known of an upload that comes in faster than this machine can encode. */
function judgeSpeed({ behind, encode, alone, last }, verdicts) {
    verdicts.note('… too fast for this machine: encode behind, most', `${behind.toFixed(1)} s of media`);
    verdicts.add('… so: ffmpeg alone against the encode while it arrives', alone / encode, OVERHEAD);
    const late = last < PATIENCE_S ? `${last.toFixed(1)} s` : `more than ${PATIENCE_S} s`;
    verdicts.note('… last segment, after the last byte', late);
}

function judge(found, name, verdicts) {
    const { samples, video, alone, first, picture, last } = found;
    const s = { unit: ' s' };
    verdicts.add(`${name}: first segment fetched, from the beginning`, first, SEGMENT_LIMIT_S, s);
    verdicts.add('… first picture in Chromium', picture, FRAME_LIMIT_S, s);
    if (samples.length < 2) throw new Error('all had arrived before anything could be watched');

    const most = (of) => Math.max(...samples.map(of));
    const behind = most(({ arrived, encoded }) => arrived - encoded);
    const arrival = video.duration / found.sending;
    const encode = speedBetween(samples[0], samples.at(-1));
    verdicts.note('… it arrives at', `${arrival.toFixed(2)} × real time`);
    verdicts.note('… is encoded at; by ffmpeg alone', `${encode.toFixed(2)} ×; ${alone.toFixed(2)} ×`);
    verdicts.note('… `arrived` behind what was sent, most', `${most((at) => at.sent - at.arrived).toFixed(1)} s of media`);
    if (alone / OVERHEAD < arrival) {
        judgeSpeed({ ...found, behind, encode }, verdicts);
        return;
    }
    verdicts.add('… encode behind what has arrived, most, of media', behind, BEHIND_LIMIT_S, s);
    verdicts.add('… last segment, after the last byte', last, LAST_LIMIT_S, s);
}

export async function run(site, verdicts) {
    const files = [
        { name: 'index first', file: await clip(CLIP_S) },
        { name: 'index last, sent ahead', file: await clipWithIndexLast(CLIP_S), ahead: true },
    ];
    const browser = await launchBrowser();
    try {
        for (const { name, file, ahead } of files) {
            const found = await uploadAndWatch(browser, site, file, ahead && (await indexOf(file)));
            console.log(`  ${name}: sent in ${found.sending.toFixed(1)} s, watched ${found.last.toFixed(1)} s more`);
            const commands = await commandsOf(site, found, ALONE_S);
            await removeVideos(site);
            await waitFor(() => childrenOf(site.pid('worker')).length === 0, { what: 'the worker to be idle' });
            found.alone = ALONE_S / (await secondsAlone(commands, files[0].file));
            judge(found, name, verdicts);
        }
    } finally {
        await browser.close();
    }
}
