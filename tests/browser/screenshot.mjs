/*
 * screenshot.mjs FILE: the picture of the library page that README shows, taken of a
 * real site with clips that ffmpeg makes. `make screenshot` runs it.
 */
import path from 'node:path';
import { launchBrowser } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { sleep, startSite } from '../lib/site.mjs';

const clips = [
    ['Mandelbrot zoom.mkv', 'mandelbrot=s=1280x720:r=30:start_scale=0.4:end_scale=0.01', 24],
    ['Sierpinski flight.mp4', 'sierpinski=s=1280x720:r=25:jump=40', 32],
    ['Slow gradients.webm', 'gradients=s=1280x720:r=25:c0=#0b7a75:c1=#f4d58d:c2=#bf0603:n=3:speed=0.02', 15],
    ['Test card.mp4', 'testsrc2=s=1920x1080:r=60', 60],
];

const file = process.argv[2];
const temp = await tempDir();
const site = await startSite({ worker: true });
const browser = await launchBrowser();
try {
    const page = await browser.newPage({ viewport: { width: 1240, height: 860 } });
    await page.goto(site.url);
    for (const [name, source, seconds] of clips) {
        const clip = path.join(temp.dir, name);
        const codec = name.endsWith('.webm') ? ['-c:v', 'libvpx', '-deadline', 'realtime'] : ['-c:v', 'libx264', '-preset', 'ultrafast'];
        await ffmpeg('-f', 'lavfi', '-i', `${source}`, '-t', `${seconds}`, '-pix_fmt', 'yuv420p', ...codec, clip);
        const { json } = await site.upload(clip);
        if (name !== clips.at(-1)[0]) await site.waitForState(json.id, 'ready');
    }
    await sleep(2500); // the last one is being encoded
    await page.reload();
    await page.locator('article, li').first().waitFor();
    await sleep(1200);
    await page.screenshot({ path: file });
} finally {
    await browser.close();
    await temp.remove();
    await site.stop();
}
