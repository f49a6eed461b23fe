/*
 * Real clips that nobody here made: every file of the folder that DROPSTREAM_CORPUS
 * names (searched two levels deep) goes in, and must end well or be refused in words. A
 * file MANIFEST.tsv beside them, if there is one, says how long each is.
 */
import assert from 'node:assert/strict';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brightness, clipsOf, CORPUS, fetchVideo, samples } from '../lib/media.mjs';
import { startSite } from '../lib/site.mjs';

/* Name → { duration, audio } of the manifest, with declared durations as they are. */
async function manifestOf(dir) {
    const text = await fs.readFile(path.join(dir, 'MANIFEST.tsv'), 'utf8').catch(() => '');
    const [head, ...rows] = text.trimEnd().split('\n').map((line) => line.split('\t'));
    return Object.fromEntries(
        rows.map((row) => {
            const of = (name) => row[head.indexOf(name)];
            return [of('file'), { duration: Number(of('duration')), audio: of('audio'), tags: of('tags') }];
        }),
    );
}

const files = CORPUS ? await clipsOf(CORPUS) : [];
const manifest = CORPUS ? await manifestOf(CORPUS) : {};

describe('real clips', { skip: files.length === 0 && 'DROPSTREAM_CORPUS names no folder of clips' }, () => {
    let site;
    const videos = new Map();

    before(async () => {
        site = await startSite({ worker: true, env: { DROPSTREAM_BACKOFF_MS: '50' } });
        for (const file of files) videos.set(file, await site.upload(file));
    });
    after(() => site.stop());

    for (const file of files)
        test(path.relative(CORPUS, file), async () => {
            const { status, json } = videos.get(file);
            const hostile = file.includes('hostile');
            if (status !== 201) {
                assert.ok(hostile, `refused: ${json?.error?.message}`);
                assert.equal(status, 415);
                assert.match(json.error.message, /^[A-Z].*\.$/);
                return;
            }
            const video = await site.waitForState(json.id, hostile || /audio_only/.test(file) ? ['ready', 'failed'] : 'ready', { timeout: 120_000 });
            if (video.state === 'failed') {
                assert.match(video.error, /^[A-Z]/, 'a sentence');
                assert.equal(video.media, null);
                return;
            }
            const out = await fetchVideo(site, video);
            const frame = out.video.duration / out.video.frames;
            assert.equal((await brightness(out.video.file)).length, out.video.frames);
            assert.ok(Math.abs(out.video.duration - video.duration) <= frame);
            if (out.audio)
                assert.equal((await samples(out.audio.file)).length, out.audio.frames * 1024);
            const said = manifest[path.relative(CORPUS, file)];
            if (said && !hostile && said.duration < 1000 && !/start=|subs=|edit-list|fragmented/.test(said.tags)) {
                assert.ok(Math.abs(video.duration - said.duration) < 0.25, `${video.duration} s of ${said.duration} s`);
                assert.equal(Boolean(out.audio), !/no-audio/.test(said.tags));
            }
        });
});
