/* media_auth = strict in a real Chromium, through TLS: whoever may watch is asked about once, and
 * the player in another site's frame is let through, too. */
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { isPlaying, requestsOf, setUp, signIn, signOut, watch } from '../lib/people.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { selfSigned } from '../lib/tls.mjs';

const SLOW = 60_000; // ms
const CLIP_S = 200; // more than players load ahead

let site, browser, temp, owner, video, elsewhere, shown;
const anyCertificate = { ignoreHTTPSErrors: true };
const logged = (fn) => (t) => site.logged(fn)(t);

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    await ffmpeg(
        ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=10:d=${CLIP_S}`],
        ['-f', 'lavfi', '-i', `sine=440:d=${CLIP_S}:sample_rate=48000`],
        ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-c:a', 'aac', '-movflags', '+faststart', clip],
    );
    const pem = path.join(temp.dir, 'site.pem');
    await selfSigned(pem);
    const env = { DROPSTREAM_AUTH: 'required', DROPSTREAM_MEDIA_AUTH: 'strict', DROPSTREAM_TLS_PEM: pem };
    site = await startSite({ worker: true, env });
    browser = await launchBrowser();
    owner = await watchedPage(browser, anyCertificate);
    await setUp(site, owner, 'ada');
    await owner.setInputFiles('input[type=file]', clip);
    await owner.locator('.card[data-state=ready]').waitFor({ timeout: SLOW });
    video = await owner.locator('.card').getAttribute('data-id');
    // To a browser, localhost is none of 127.0.0.1.
    elsewhere = http.createServer((_, res) => {
        res.setHeader('Content-Type', 'text/html');
        res.end(`<!doctype html><iframe src="${shown}" width="640" height="360" allow="autoplay"></iframe>`);
    });
    await new Promise((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
});
after(async () => {
    elsewhere?.close();
    await browser?.close();
    await site?.stop();
    await temp?.remove();
});

test('what plays is sent by lighttpd alone, until its session ends', logged(async () => {
    const asks = requestsOf(owner);
    await owner.goto(`${site.url}/watch/${video}`);
    await watch(owner);
    const cookie = (await owner.context().cookies()).find(({ name }) => name === 'dropstream_media');
    assert.deepEqual([cookie.path, cookie.httpOnly, cookie.secure, cookie.sameSite], ['/media/', true, true, 'Lax']);
    assert.equal(await owner.evaluate(() => document.cookie), '');

    const { 'media.fcgi': pid } = await site.handlers();
    process.kill(pid, 'SIGSTOP');
    try {
        const last = asks.length;
        await owner.evaluate((s) => (document.querySelector('stream-video').currentTime = s), CLIP_S - 40);
        await waitFor(() => asks.slice(last).some(({ url }) => url.endsWith('.m4s')), { what: 'segments without media.fcgi' });
        assert.deepEqual(asks.filter(({ status }) => ![200, 304].includes(status)), []);
        await watch(owner, CLIP_S - 40);
        await isPlaying(owner, 'without media.fcgi');
    } finally {
        process.kill(pid, 'SIGCONT');
    }
    const { url } = asks.find(({ url: asked }) => asked.endsWith('.m3u8'));
    const ask = async () => (await owner.request.get(url)).status();
    assert.equal(await ask(), 200);
    await signOut(owner);
    assert.equal(await ask(), 404);
    assert.deepEqual(owner.complaints, []);
}));

test('in the frame of another site a link that may be embedded plays', logged(async () => {
    await signIn(owner, 'ada');
    await owner.getByRole('button', { name: 'Signed in as ada' }).waitFor();
    const share = await owner.evaluate(async (id) => {
        const headers = { 'Content-Type': 'application/json' };
        const answer = await fetch(`/api/videos/${id}/shares`, { method: 'POST', headers, body: '{"embed":true}' });
        return answer.json();
    }, video);
    shown = site.url + share.embed_url;
    const page = await watchedPage(browser, anyCertificate);
    const asks = requestsOf(page);
    await page.goto(`http://localhost:${elsewhere.address().port}`);
    await page.frameLocator('iframe').locator('stream-video').waitFor();
    await waitFor(
        () =>
            page.frames().at(-1).evaluate(async () => {
                const player = document.querySelector('stream-video');
                player.muted = true;
                await player.play();
                return player.currentTime > 0.3;
            }),
        { timeout: 20_000, what: 'playback in the frame' },
    );
    assert.deepEqual(asks.filter(({ status }) => status !== 200), []);
    assert.deepEqual(page.complaints, []);
    // What lets the frame in is of no use to who has not got it.
    const other = await watchedPage(browser, anyCertificate);
    assert.equal((await other.request.get(asks[0].url)).status(), 404);
    for (const opened of [page, other]) await opened.context().close();
}));
