/*
 * A file that is damaged in its midst plays to its end in a real Chromium: its copy, which
 * has the damage in it, is left for what was encoded, and its sound is encoded.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { startSite, waitFor } from '../lib/site.mjs';

const run = promisify(execFile);
const SLOW = 60_000;

let site, browser, temp, whole;

before(async () => {
    temp = await tempDir();
    whole = path.join(temp.dir, 'whole.mp4');
    await ffmpeg(
        ['-f', 'lavfi', '-i', 'testsrc2=s=640x480:r=10:d=16'],
        ['-f', 'lavfi', '-i', "aevalsrc='0.3*sin(2000*t)+0.05*random(0)':d=16:s=44100"],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '20', '-c:a', 'aac', '-b:a', '96k', whole],
    );
    [site, browser] = await Promise.all([
        startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_PREVIEWS: '0', DROPSTREAM_LADDER_MAX_SIDE: '0' } }), launchBrowser(),
    ]);
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});

/* The file with one packet of a stream spoilt, that of number n: by spoil(its bytes). */
async function damaged(stream, n, spoil) {
    const { stdout } = await run('ffprobe', ['-v', 'error', '-select_streams', stream, '-of', 'csv=p=0',
        '-show_entries', 'packet=pos,size', whole], { maxBuffer: 1 << 24 });
    const [size, pos] = stdout.trim().split('\n')[n].split(',').map(Number);
    const bytes = await fs.readFile(whole);
    spoil(bytes.subarray(pos, pos + size));
    const file = path.join(temp.dir, `${stream[0]}.mp4`);
    await fs.writeFile(file, bytes);
    return file;
}

async function uploaded(file) {
    const { json } = await site.upload(file);
    await site.waitForState(json.id, 'ready', { timeout: SLOW });
    return waitFor(
        async () => {
            const v = (await site.api('GET', `/api/videos/${json.id}`)).json;
            return v.renditions.every((r) => r.segments > 0 && r.done === r.segments) && v;
        },
        { timeout: SLOW, what: 'all renditions' },
    );
}

/* Watches from a little before the damage to the end; what was seen there. */
async function watched(video, quality) {
    const page = await watchedPage(browser);
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('stream-video').waitFor({ timeout: SLOW });
    const inPage = (fn) => page.evaluate(fn);
    await inPage(() => {
        const player = document.querySelector('stream-video');
        player.muted = true;
        return player.play();
    });
    if (quality) {
        await page.locator('media-chrome-menu-button.quality').click();
        await page.locator('media-chrome-menu-item', { hasText: quality }).first().click();
        await waitFor(() => inPage(() => document.querySelector('stream-video').nativeEl.videoHeight === 480), { timeout: SLOW, what: 'the source' });
    }
    await inPage(() => {
        Object.assign(document.querySelector('stream-video').nativeEl, { currentTime: 6.5, playbackRate: 4 });
    });
    await waitFor(() => inPage(() => document.querySelector('stream-video').nativeEl.ended), { timeout: SLOW, what: 'its end' });
    const menu = await page.locator('media-chrome-menu-item', { hasText: 'Source' }).first().textContent();
    await page.close();
    return menu;
}

/* What is left is the header of its NAL unit. */
const empty = (packet) => packet.fill(0, 5);

test('a source with a picture that cannot be decoded is left for another quality', async () => {
    const video = await uploaded(await damaged('v:0', 80, empty));
    assert.ok(video.renditions.some(({ name }) => name === 'source'), 'it is offered: nobody has decoded it');
    assert.match(await watched(video, 'Source'), /cannot be decoded/);
    await watched(video);
});

/* The first half of the copied sound is there when the page begins to play; then its damage is
 * found, and what the page knows of sound is gone. */
test('a page that plays goes on with the sound that is encoded then', async () => {
    const file = await damaged('a:0', 400, (packet) => packet.fill(0));
    const [go, script] = [path.join(temp.dir, 'go-on'), path.join(temp.dir, 'ffmpeg-that-waits')];
    await fs.writeFile(script, `#!/bin/sh
case "$*" in
*-xerror*) ffmpeg "$@" | { head -c 65000; while ! [ -e ${go} ]; do sleep 0.05; done; cat; } ;;
*) exec ffmpeg "$@" ;;
esac
`, { mode: 0o755 });
    const on = await startSite({ worker: true, extras: true, posters: false, env: { DROPSTREAM_PREVIEWS: '0', DROPSTREAM_LADDER_MAX_SIDE: '0', DROPSTREAM_FFMPEG: script } });
    const page = await watchedPage(browser);
    const inPage = (fn) => page.evaluate(fn);
    try {
        const { json } = await on.upload(file);
        const sound = await waitFor(async () => {
            const { renditions } = (await on.api('GET', `/api/videos/${json.id}`)).json;
            const found = renditions.find(({ name }) => name === 'audio-0');
            return found?.done >= 1 && found;
        }, { timeout: SLOW, what: 'the beginning of the sound' });
        assert.ok(sound.done < sound.segments);
        const asked = [];
        page.on('response', (res) => asked.push(`${res.status()} ${new URL(res.url()).pathname.split('/').slice(-2).join('/')}`));
        await page.goto(`${on.url}/watch/${json.id}`);
        await page.locator('stream-video').waitFor({ timeout: SLOW });
        await inPage(() => {
            const player = document.querySelector('stream-video');
            player.muted = true;
            window.back = 0;
            let last = 0;
            player.nativeEl.addEventListener('timeupdate', () => {
                if (player.nativeEl.currentTime < last - 0.5) window.back++;
                last = player.nativeEl.currentTime;
            });
            return player.play();
        });
        await waitFor(() => inPage(() => document.querySelector('stream-video').nativeEl.currentTime > 1), { timeout: SLOW, what: 'it to play' });
        await fs.writeFile(go, '');
        await waitFor(() => inPage(() => document.querySelector('stream-video').nativeEl.ended), { timeout: SLOW, what: 'its end' });
        assert.ok(asked.some((line) => /^404 audio-0-1\/\d+\.m4s$/.test(line)), asked.join('\n'));
        assert.ok(asked.some((line) => /^20[06] audio-0-2\/3\.m4s$/.test(line)), asked.join('\n'));
        assert.ok(!asked.some((line) => /-2\//.test(line) && !/ audio-0-2\//.test(line)), 'the pictures are the same');
        assert.equal(await inPage(() => window.back), 0, 'it never goes back');
    } finally {
        await page.close();
        await on.stop();
    }
});

test('sound that cannot be decoded is encoded, and no quality ends at it', async () => {
    const video = await uploaded(await damaged('a:0', 350, (packet) => packet.fill(0)));
    assert.doesNotMatch(await watched(video, 'Source'), /cannot be decoded/);
});
