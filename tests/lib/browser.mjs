/*
 * browser.mjs: a real Chromium for tests, and pages that keep an eye on themselves.
 *
 *     const browser = await launchBrowser();
 *     const page = await watchedPage(browser, { viewport: { width: 360, height: 740 } });
 *     await page.goto(site.url);
 *     assert.deepEqual(page.complaints, []);
 *
 * DROPSTREAM_CHROMIUM names another browser program than Debian's.
 */
import { chromium } from 'playwright-core';

/* What playwright-core 1.61 turns off: of two such arguments Chromium takes the last. */
const NOT_BY_PLAYWRIGHT = [
    'AvoidUnnecessaryBeforeUnloadCheckSync',
    'BoundaryEventDispatchTracksNodeRemoval',
    'DestroyProfileOnBrowserClose',
    'DialMediaRouteProvider',
    'GlobalMediaControls',
    'HttpsUpgrades',
    'LensOverlay',
    'MediaRouter',
    'PaintHolding',
    'ThirdPartyStoragePartitioning',
    'Translate',
    'RenderDocument',
    'OptimizationHints',
];

const ARGS = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    // Beside each page: a process for the next one, and two that show what is typed as an address.
    `--disable-features=${[...NOT_BY_PLAYWRIGHT, 'SpareRendererForSitePerProcess', 'WebUIOmniboxPopup', 'WebUIOmniboxAimPopup']}`,
];

export function launchBrowser() {
    const executablePath = process.env.DROPSTREAM_CHROMIUM ?? '/usr/bin/chromium';
    return chromium.launch({ executablePath, args: ARGS });
}

/* A segment that is still to be made: the browser logs each 503, the player asks again. */
const isPendingSegment = (message) =>
    message.text().includes('503') && /\/media\/[^?]*\.(m4s|mp4)$/.test(message.location().url);

/* A site that lacks its worker says so by the status of what owners' pages ask for. */
const isOfHealth = (message) => message.text().includes('503') && message.location().url.endsWith('/api/health');

/*
 * A page in a context of its own. page.complaints lists what the page said about itself
 * that no page should: errors and warnings of the console, uncaught exceptions, breaches
 * of the Content-Security-Policy. page.posts counts uploads begun. Nothing on it moves by
 * itself, which is drawn without a GPU, unless reducedMotion is 'no-preference'.
 */
export async function watchedPage(browser, options = {}) {
    const defaults = { viewport: { width: 1200, height: 900 }, reducedMotion: 'reduce' };
    const context = await browser.newContext({ ...defaults, ...options });
    const page = await context.newPage();
    page.complaints = [];
    page.posts = 0;
    page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type()) && !isPendingSegment(message) && !isOfHealth(message))
            page.complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => page.complaints.push(`exception: ${error.message}`));
    page.on('request', (request) => {
        if (request.method() === 'POST' && request.url().endsWith('/api/videos')) page.posts += 1;
    });
    await page.addInitScript(() => {
        addEventListener('securitypolicyviolation', (e) =>
            console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`),
        );
    });
    return page;
}

/* Slows the page's uploads down to so many bytes a second, so that they can be watched. */
export async function slowUploads(page, bytesPerSecond) {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: bytesPerSecond,
    });
}

/* Drops files on the page as a hand would: files is a list of { name, buffer }. */
export async function dropFiles(page, files) {
    const plain = files.map(({ name, buffer }) => ({ name, base64: buffer.toString('base64') }));
    const transfer = await page.evaluateHandle((list) => {
        const data = new DataTransfer();
        for (const { name, base64 } of list) {
            const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
            data.items.add(new File([bytes], name));
        }
        return data;
    }, plain);
    for (const type of ['dragenter', 'dragover', 'drop'])
        await page.dispatchEvent('body', type, { dataTransfer: transfer });
}

/* How far the page sticks out to the right of its window, in CSS pixels. */
export function overhang(page) {
    return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
