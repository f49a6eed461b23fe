/*
 * seek_player.mjs: part 1 of bench-seek. The watch page in Chromium plays; a seek to a
 * random time whose picture and sound do not exist; until a frame from there is shown.
 */
import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { runsOf } from '../lib/demand.mjs';
import { sleep, waitFor } from '../lib/site.mjs';
import * as measure from './measure.mjs';
import { runFor, segmentAlone } from './seek_alone.mjs';

export const title = 'seeks in Chromium, to the first picture';

const SEEKS = measure.setting('DROPSTREAM_BENCH_SEEKS', 24);
const P50_LIMIT_S = 1.0;
const P95_LIMIT_S = 1.6;
const WATCH_MS = 800; // between two seeks

/* Seconds from the seek to the first frame at t or later that is shown. */
function seekAndSee(page, t) {
    return page.evaluate(
        (target) =>
            new Promise((resolve, reject) => {
                const player = document.querySelector('stream-video');
                const video = player.nativeEl;
                const timer = setTimeout(() => reject(new Error(`no picture from ${target} s`)), 30_000);
                const onFrame = (_now, { mediaTime }) => {
                    // The frame that is on at the target began up to one frame before it.
                    if (mediaTime > target - 0.04 && mediaTime < target + 30 && video.readyState >= 2) {
                        clearTimeout(timer);
                        resolve((performance.now() - begun) / 1000);
                    } else video.requestVideoFrameCallback(onFrame);
                };
                video.requestVideoFrameCallback(onFrame);
                const begun = performance.now();
                player.currentTime = target;
            }),
        t,
    );
}

async function openPlayer(browser, stage) {
    const page = await watchedPage(browser);
    await page.goto(`${stage.site.url}/watch/${stage.video.id}`);
    await page.locator('stream-video').waitFor();
    await page.evaluate(() => {
        const player = document.querySelector('stream-video');
        player.muted = true;
        return player.play();
    });
    await waitFor(() => page.evaluate(() => document.querySelector('stream-video').currentTime > 0.2), {
        what: 'the player to play',
    });
    return page;
}

/* What ffmpeg alone takes for the picture at t, in s: the machine's speed at this moment. */
async function alone(stage, t) {
    const { site, video, timeline } = stage;
    const k = timeline.video.at(t);
    const run = runFor(await runsOf(site, video, timeline), 'video', k);
    return run && (await segmentAlone(site, run, k, timeline.video)) / 1000;
}

/* Seeks in one upload until nothing is left to seek to, or there are enough. */
async function seeksOfOneUpload(browser, stage, times, bare) {
    await stage.begin();
    const page = await openPlayer(browser, stage);
    for (let t; times.length < SEEKS && (t = await stage.unmadeTime()) !== undefined; ) {
        times.push(await seekAndSee(page, t));
        const same = await alone(stage, t);
        if (same !== undefined) bare.push(same);
        console.log(`  to ${t.toFixed(1)} s: ${times.at(-1).toFixed(2)} s (alone ${same?.toFixed(2)} s)`);
        await sleep(WATCH_MS);
    }
    const { complaints } = page;
    await page.context().close();
    if (complaints.length) throw new Error(`the page complains: ${complaints.join('; ')}`);
}

export async function run(stage, verdicts) {
    const browser = await launchBrowser();
    try {
        const times = [];
        const bare = [];
        while (times.length < SEEKS) {
            const before = times.length;
            await seeksOfOneUpload(browser, stage, times, bare);
            if (times.length === before) throw new Error('the clip is too short to seek in');
        }
        const name = `first picture after a seek, ${times.length} seeks`;
        verdicts.add(`${name}, p50`, measure.median(times), P50_LIMIT_S, { unit: ' s' });
        verdicts.add(`${name}, p95`, measure.quantile(times, 0.95), P95_LIMIT_S, { unit: ' s' });
        // On the machine that the limits were set for, this takes 0.45 s.
        verdicts.note('… ffmpeg alone for such a picture, median', `${measure.median(bare).toFixed(2)} s`);
    } finally {
        await browser.close();
    }
}
