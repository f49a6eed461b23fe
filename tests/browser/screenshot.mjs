/*
 * screenshot.mjs FILE: the picture of the library page that README shows, taken of a
 * real site with clips that ffmpeg makes, as its owner sees it. `make screenshot` runs it.
 */
import path from 'node:path';
import { launchBrowser } from '../lib/browser.mjs';
import { ffmpeg, tempDir } from '../lib/media.mjs';
import { setUp } from '../lib/people.mjs';
import { sleep, startSite } from '../lib/site.mjs';

const clips = [
    ['Mandelbrot zoom.mkv', 'mandelbrot=s=1280x720:r=30:start_scale=0.4:end_scale=0.01', 24],
    ['Sierpinski flight.mp4', 'sierpinski=s=1280x720:r=25:jump=40', 32],
    ['Slow gradients.webm', 'gradients=s=1280x720:r=25:c0=#0b7a75:c1=#f4d58d:c2=#bf0603:n=3:speed=0.02', 15],
    ['Test card.mp4', 'testsrc2=s=1920x1080:r=60', 60],
];

const file = process.argv[2];
const temp = await tempDir();
const site = await startSite({ worker: true, posters: true, env: { DROPSTREAM_AUTH: 'required' } });
const browser = await launchBrowser();
try {
    const page = await browser.newPage({ viewport: { width: 1240, height: 860 } });
    await setUp(site, page, 'ada');
    for (const [name, source, seconds] of clips) {
        const clip = path.join(temp.dir, name);
        const codec = name.endsWith('.webm') ? ['-c:v', 'libvpx', '-deadline', 'realtime'] : ['-c:v', 'libx264', '-preset', 'ultrafast'];
        await ffmpeg('-f', 'lavfi', '-i', `${source}`, '-t', `${seconds}`, '-pix_fmt', 'yuv420p', ...codec, clip);
        await page.setInputFiles('input[type=file]', clip);
        const card = page.locator('.card').filter({ hasText: path.parse(name).name });
        const seen = name === clips.at(-1)[0] ? card.filter({ hasText: /Preparing [1-9]\d %/ }) : card.and(page.locator('[data-state=ready]'));
        await seen.waitFor({ timeout: 300_000 });
    }
    await page.reload();
    await page.locator('article, li').first().waitFor();
    await sleep(1200);
    const shot = path.join(temp.dir, 'shot.png');
    await page.screenshot({ path: shot });
    // With a palette it is a third of the size.
    const palette = 'split[a][b];[a]palettegen=max_colors=128:reserve_transparent=0[p];[b][p]paletteuse=dither=none';
    await ffmpeg('-i', shot, '-vf', palette, '-compression_level', '100', '-pred', 'mixed', file);
} finally {
    await browser.close();
    await temp.remove();
    await site.stop();
}
