/*
 * playback.mjs: hls.js in a real Chromium, on a bare page: whether each quality of a video
 * plays from its beginning to its end without an error or a pause, and what is seen of it.
 *
 *     const player = await startPlayer(browser, site);
 *     const runs = await player.play(video.media, { speed: 4, points: [[0.15, 0.15]] });
 *     // [{ url, errors, stalls, ended, currentTime, duration, colours: [[r, g, b]] }]
 */
import assert from 'node:assert/strict';
import path from 'node:path';

import { SOURCE } from './site.mjs';

const HLS = path.join(SOURCE, 'htdocs/node_modules/hls.js/dist/hls.min.js');
const LONGEST_MS = 60_000;

/* Runs in the page. One quality after the other, each by a player and an element anew. */
async function playEach({ media, speed, points, longest }) {
    const { Hls } = window;
    const once = (target, event) => new Promise((resolve) => target.addEventListener(event, resolve, { once: true }));

    function open(level) {
        const video = document.body.appendChild(document.createElement('video'));
        video.muted = true;
        const hls = new Hls({ enableWorker: false, startLevel: level });
        const run = { errors: [], stalls: 0 };
        hls.on(Hls.Events.ERROR, (_, { type, details, error }) => {
            if (details !== 'bufferStalledError' || hungry(video)) run.errors.push(`${type} ${details} ${error?.message ?? ''}`);
        });
        const parsed = new Promise((resolve) => hls.on(Hls.Events.MANIFEST_PARSED, resolve));
        hls.on(Hls.Events.MANIFEST_PARSED, () => (hls.currentLevel = level));
        hls.loadSource(media);
        hls.attachMedia(video);
        return { video, hls, run, parsed };
    }

    /* There is nothing to play now: what is slow to decode on a busy machine is no fault. */
    function hungry(video) {
        const now = video.currentTime;
        if (now > video.duration - 0.1) return false;
        for (let i = 0; i < video.buffered.length; i++)
            if (video.buffered.start(i) <= now && video.buffered.end(i) > now + 0.05) return false;
        return true;
    }

    /* Of the picture that is shown, which may be there a moment after it can be. */
    async function colours(video) {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
        const context = canvas.getContext('2d', { willReadFrequently: true });
        for (let tries = 0; tries < 100; tries++) {
            context.drawImage(video, 0, 0);
            if (context.getImageData(0, 0, canvas.width, canvas.height).data.some((v, i) => i % 4 < 3 && v > 0)) break;
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        return points.map(([x, y]) => [...context.getImageData(Math.round(x * (canvas.width - 1)), Math.round(y * (canvas.height - 1)), 1, 1).data].slice(0, 3));
    }

    async function playOne(level) {
        const { video, hls, run, parsed } = open(level);
        const end = new Promise((resolve) => setTimeout(resolve, longest));
        await Promise.race([parsed, end]);
        await Promise.race([once(video, 'canplay'), end]);
        if (video.readyState >= 2) run.colours = await colours(video);
        video.addEventListener('waiting', () => {
            if (hungry(video)) run.stalls += 1;
        });
        video.playbackRate = speed;
        const ended = once(video, 'ended');
        await Promise.race([video.play().catch((error) => run.errors.push(`play: ${error.message}`)), end]);
        await Promise.race([ended, once(video, 'error'), end]);
        if (video.error) run.errors.push(`element: ${video.error.code} ${video.error.message}`);
        Object.assign(run, {
            count: hls.levels.length, url: hls.levels[level]?.url[0], ended: video.ended, currentTime: video.currentTime,
            duration: video.duration, width: video.videoWidth, height: video.videoHeight,
        });
        hls.destroy();
        video.remove();
        return run;
    }

    const runs = [await playOne(0)];
    while (runs.length < runs[0].count) runs.push(await playOne(runs.length));
    return runs;
}

/*
 * { play(media, options), playsToItsEnd(media, { seconds, … }), close() }; several may play at
 * once. The second asserts that each quality that Chromium has a decoder for plays to its end.
 */
export async function startPlayer(browser, site) {
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    await page.goto(`${site.url}/api/health`);
    await page.addScriptTag({ path: HLS });
    const play = (media, { speed = 4, points = [] } = {}) =>
        page.evaluate(playEach, { media, speed, points, longest: LONGEST_MS });
    return {
        play,
        async playsToItsEnd(media, { seconds, ...options }) {
            let runs = await play(media, options);
            // So fast a busy machine may not be: what pauses for no other reason does not at this.
            if (runs.some(({ stalls }) => stalls > 0)) runs = await play(media, { ...options, speed: 2 });
            for (const { url, errors, stalls, ended, currentTime, duration } of runs) {
                assert.deepEqual({ errors, stalls, ended }, { errors: [], stalls: 0, ended: true }, url);
                assert.ok(Math.abs(currentTime - duration) < 0.05, `${url} plays to ${currentTime} of ${duration}`);
                assert.ok(Math.abs(duration - seconds) < 0.2, `${url} is ${duration} s long, of ${seconds} s`);
            }
            return runs;
        },
        close: () => context.close(),
    };
}
