/* adaptive_plain.mjs: part 4 of bench-adaptive. What is given up for speed at 360p: the
 * worker's command against plain ones, all compared with the source at its own size. */
import { execFile } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { waitFor } from '../lib/site.mjs';
import { commandOf, idle, openSite, shortClip, stored, tempFolder, timed } from './adaptive_stage.mjs';

export const title = '360p against a plain command';

/* Mean PSNR of all planes, dB. */
async function psnr(file, source) {
    const { stderr } = await promisify(execFile)('ffmpeg', [
        '-nostdin', '-hide_banner', '-i', file, '-i', source, '-filter_complex',
        '[1:v]scale=iw:ih[s];[0:v][s]scale2ref=flags=bicubic[a][b];[a]setpts=PTS-STARTPTS[c];[b]setpts=PTS-STARTPTS[d];[c][d]psnr',
        '-f', 'null', '-',
    ], { maxBuffer: 1 << 24 });
    return Number(/average:([\d.]+)/.exec(stderr)[1]);
}

export async function run(verdicts) {
    const file = await shortClip();
    const dir = await tempFolder();
    const site = await openSite();
    try {
        const { id } = await stored(site, file);
        const tuned = await waitFor(() => commandOf(site, id, /ultrafast/), { what: 'the command' });
        await waitFor(
            async () => (await site.api('GET', `/api/videos/${id}`)).json.renditions.every((r) => r.done === r.segments),
            { timeout: 600_000, what: 'all of it' },
        );
        await idle(site);
        const [ours, plain, default_] = ['ours', 'plain', 'default'].map((name) => path.join(dir, `${name}.mp4`));
        const size = /scale=(\d+:\d+)/.exec(tuned)[1];
        await timed(`${tuned} > '${ours}'`);
        const made = (flags, out) =>
            timed(
                `ffmpeg -nostdin -v error -i '${file}' -an -vf scale=${size}${flags} -c:v libx264 -preset ultrafast ` +
                    `-tune zerolatency -g 60 -pix_fmt yuv420p '${out}'`,
            );
        await made(':flags=bilinear', plain);
        await made('', default_);
        const bytes = async (name) => (await fs.stat(name)).size;
        const ratio = (await bytes(ours)) / (await bytes(plain));
        const [a, b, c] = [await psnr(ours, file), await psnr(plain, file), await psnr(default_, file)];
        console.log(`  ${a.toFixed(2)} dB; plain with the same scaler ${b.toFixed(2)} dB, with ffmpeg's own ${c.toFixed(2)} dB`);
        verdicts.add('size of 360p against the plain command, off by', Math.abs(ratio - 1) * 100, 5, { unit: ' %' });
        verdicts.add('PSNR lost against the plain command', b - a, 0.3, { unit: ' dB' });
        const smaller = (1 - (await bytes(ours)) / (await bytes(default_))) * 100;
        verdicts.note("… against one with ffmpeg's own scaler (bicubic)", `${smaller.toFixed(1)} % smaller, ${(c - a).toFixed(2)} dB less`);
    } finally {
        await site.stop();
        await fs.rm(dir, { recursive: true, force: true });
    }
}
