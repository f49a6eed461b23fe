/* media_auth = strict in a real Chromium, through TLS: whoever may watch is asked about once, and
 * the player in another site's frame is let through, too. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser } from '../lib/browser.mjs';
import { cardClip, tempDir } from '../lib/media.mjs';
import {
    isPlaying, makeShare, openPage, playsInFrame, requestsOf, seek, setUp, signIn, signOut, startElsewhere,
    uploadFirst, watch,
} from '../lib/people.mjs';
import { startSite, waitFor } from '../lib/site.mjs';
import { selfSigned } from '../lib/tls.mjs';

const CLIP_S = 200; // more than players load ahead

let site, browser, temp, owner, video, elsewhere;
const anyCertificate = { ignoreHTTPSErrors: true };
const logged = (fn) => (t) => site.logged(fn)(t);

before(async () => {
    temp = await tempDir();
    const clip = path.join(temp.dir, 'clip.mp4');
    await cardClip(clip, CLIP_S);
    const pem = path.join(temp.dir, 'site.pem');
    await selfSigned(pem);
    // Sound that is copied, or most of the time would go into encoding so much of it.
    const env = {
        DROPSTREAM_AUTH: 'required', DROPSTREAM_MEDIA_AUTH: 'strict', DROPSTREAM_TLS_PEM: pem,
        DROPSTREAM_SOUND_MAX_KBPS: '384',
    };
    site = await startSite({ worker: true, env });
    browser = await launchBrowser();
    owner = await openPage(browser, anyCertificate);
    await setUp(site, owner, 'ada');
    video = await uploadFirst(owner, clip);
    elsewhere = await startElsewhere();
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
        await seek(owner, CLIP_S - 40);
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
    const share = await makeShare(owner, video, { embed: true });
    elsewhere.show(site.url + share.embed_url);
    const page = await openPage(browser, anyCertificate);
    const asks = requestsOf(page);
    await page.goto(elsewhere.origin);
    await page.frameLocator('iframe').locator('stream-video').waitFor();
    await playsInFrame(page);
    assert.deepEqual(asks.filter(({ status }) => status !== 200), []);
    assert.deepEqual(page.complaints, []);
    // What lets the frame in is of no use to who has not got it.
    const other = await openPage(browser, anyCertificate);
    assert.equal((await other.request.get(asks[0].url)).status(), 404);
    for (const opened of [page, other]) await opened.context().close();
}));
