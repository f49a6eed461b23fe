/*
 * What moves for as long as a page is open, or a viewer waits, is drawn anew a few times a
 * second and not sixty: in a browser without a GPU that takes half a core, which on a
 * machine of one's own is the encoder's.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { launchBrowser, watchedPage } from '../lib/browser.mjs';
import { slowFfmpeg, uploadPlayable } from '../lib/demand.mjs';
import { paddedClip, tempDir } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';

const SECONDS = 40;

let site, browser, temp;

before(async () => {
    temp = await tempDir();
    site = await startSite({ worker: true, env: { DROPSTREAM_FFMPEG: await slowFfmpeg(temp.dir, 2) } });
    browser = await launchBrowser();
});
after(async () => {
    await browser?.close();
    await site?.stop();
    await temp.remove();
});

/* What moves for ever on a page, shadow trees included: { name, easing } of each CSS
 * animation without an end, and of each SVG that is animated by itself and drawn. */
function restless(page) {
    return page.evaluate(() => {
        const roots = [document];
        for (const root of roots)
            for (const element of root.querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
        const inCss = roots.flatMap((root) => root.getAnimations({ subtree: true }));
        const inSvg = roots.flatMap((root) => [...root.querySelectorAll('animate, animateTransform, animateMotion')]);
        return [
            ...[...new Set(inCss)]
                .filter(({ effect }) => effect.getTiming().iterations === Infinity)
                .map(({ animationName, effect }) => ({ name: animationName, easing: effect.getKeyframes()[0].easing })),
            ...inSvg
                .filter((element) => element.ownerSVGElement.checkVisibility())
                .map(({ localName }) => ({ name: localName, easing: 'its own' })),
        ];
    });
}

function assertInSteps(found, name) {
    assert.ok(found.some((one) => one.name.endsWith(name)), `${name} moves: ${JSON.stringify(found)}`);
    for (const one of found) assert.match(one.easing, /^steps\(/, `${one.name} moves in steps`);
}

test('the rings of the library', async () => {
    const page = await watchedPage(browser, { reducedMotion: 'no-preference' });
    await page.goto(site.url);
    await page.locator('circle').first().waitFor({ state: 'attached' });
    assertInSteps(await restless(page), 'ripple');
    assert.deepEqual(page.complaints, []);
    await page.context().close();
});

test('the player while a viewer waits', async () => {
    const file = path.join(temp.dir, 'long.mp4');
    await paddedClip(file, SECONDS);
    const video = await uploadPlayable(site, file);
    await site.end('worker', 'SIGKILL'); // so that the wait has no end
    const page = await watchedPage(browser, { reducedMotion: 'no-preference' });
    await page.goto(`${site.url}/watch/${video.id}`);
    await page.locator('stream-video').waitFor();
    await page.evaluate((target) => {
        const player = document.querySelector('stream-video');
        player.muted = true;
        player.currentTime = target;
        player.play().catch(() => {}); // nothing comes
    }, SECONDS - 3);
    const indicator = page.locator('media-loading-indicator[medialoading]');
    await indicator.waitFor();
    await indicator.locator('svg').first().waitFor();
    assertInSteps(await restless(page), 'turn');

    // What is behind a dialogue is a video that may play.
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    assert.equal(await dialog.evaluate((element) => getComputedStyle(element, '::backdrop').backdropFilter), 'none');
    await page.context().close();
});
