/*
 * The worker when things go wrong: killed, stopped, told to delete, with children that
 * hang or lie. Real lighttpd and ffmpeg; a shell script stands in for ffmpeg only where
 * it has to misbehave.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { slowFfmpeg } from '../lib/demand.mjs';
import { fetchVideo, ffmpeg, tempDir } from '../lib/media.mjs';
import { Site, sleep, tinyMp4, waitFor, withSite } from '../lib/site.mjs';

let temp;
let longClip;
let shortClip;
let slow; // an ffmpeg that takes three seconds for the long clip

before(async () => {
    temp = await tempDir();
    longClip = path.join(temp.dir, 'long.mp4');
    shortClip = path.join(temp.dir, 'short.mp4');
    slow = await slowFfmpeg(temp.dir, 20);
    const make = (seconds, file) =>
        ffmpeg(
            ['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=15:d=${seconds}`],
            ['-f', 'lavfi', '-i', `sine=d=${seconds}`],
            ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '35', '-c:a', 'aac', file],
        );
    await make(60, longClip);
    await make(3, shortClip);
});
after(() => temp.remove());

/* A worker that is not done with the long clip before something can happen to it. */
const withPacedWorker = (env, fn) => (t) =>
    withSite({ worker: true, env: { DROPSTREAM_FFMPEG: slow, ...env } }, fn)(t);

async function upload(site, file) {
    const { status, json, text } = await site.upload(file);
    assert.equal(status, 201, text);
    return json.id;
}

/* Waits until some segments exist, but not all. */
function halfWay(site, id) {
    return waitFor(
        async () => {
            const { json } = await site.api('GET', `/api/videos/${id}`);
            const [video] = json.renditions;
            if (json.state === 'ready') throw new Error('it was too fast');
            return video && video.done >= 3 && video.done < video.segments - 3 && json;
        },
        { every: 20, what: 'the encode to be half-way' },
    );
}

/* Inode and change time of each file under htdocs/media, by path. */
async function mediaFiles(site) {
    const found = {};
    const walk = async (dir) => {
        for (const entry of await fs.readdir(dir, { withFileTypes: true })) {
            const name = path.join(dir, entry.name);
            if (entry.isDirectory()) await walk(name);
            else if (entry.isFile()) {
                const { ino, mtimeMs } = await fs.stat(name);
                found[name] = `${ino} ${mtimeMs}`;
            }
        }
    };
    await walk(site.path('htdocs/media'));
    return found;
}

async function ffmpegsOf(site) {
    return (await site.processes()).filter(({ exe }) => /ffmpeg|ffprobe/.test(exe));
}

async function activity(site) {
    const { json } = await site.api('GET', '/api/activity?after=0&limit=1000');
    return json.activity;
}

/* An executable shell script. */
async function script(name, body) {
    const file = path.join(temp.dir, name);
    await fs.writeFile(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return file;
}

describe('a worker that goes away', () => {
    test(
        'by kill -9: the next one goes on from the segments on disk',
        withPacedWorker({}, async (site) => {
            const id = await upload(site, longClip);
            await halfWay(site, id);
            await site.end('worker', 'SIGKILL');
            await waitFor(async () => (await ffmpegsOf(site)).length === 0, {
                what: 'its children to die with it',
            });
            const before = await mediaFiles(site);
            const segments = Object.keys(before).filter((name) => name.endsWith('.m4s'));
            assert.ok(segments.length >= 3);

            site.startWorker();
            const video = await site.waitForState(id, 'ready', { timeout: 60_000 });
            await fetchVideo(site, video);
            const now = await mediaFiles(site);
            for (const name of segments) assert.equal(now[name], before[name], `${name} was made again`);
            const rows = await activity(site);
            assert.ok(rows.some(({ message }) => /360p: encoding, attempt 2/.test(message)));
            assert.deepEqual(await fs.readdir(site.path('tmp')), []);
        }),
    );

    test(
        'by kill -9, beside another one: that one does the rest',
        withPacedWorker({}, async (site) => {
            const id = await upload(site, longClip);
            await halfWay(site, id);
            const other = new Site(site.dir, site.port, site.env);
            other.startWorker();
            try {
                await waitFor(async () => (await site.sql('SELECT count(*) FROM workers')) === '2');
                await site.end('worker', 'SIGKILL');
                await fetchVideo(site, await site.waitForState(id, 'ready'));
                const ended = (await activity(site)).filter(({ message }) => /: encoded|Ready after/.test(message));
                assert.equal(ended.length, 3, JSON.stringify(ended)); // picture, sound and all
                assert.equal((await other.end('worker')).code, 0);
            } finally {
                await other.end('worker', 'SIGKILL');
            }
        }),
    );

    test(
        'by SIGTERM: its jobs wait for the next one, nothing is blamed on them',
        withPacedWorker({ DROPSTREAM_ATTEMPTS: '1' }, async (site) => {
            const id = await upload(site, longClip);
            await halfWay(site, id);
            const { code } = await site.end('worker');
            assert.equal(code, 0);
            assert.deepEqual(await ffmpegsOf(site), []);
            const { status, json } = await site.api('GET', '/api/health');
            assert.equal(status, 503, JSON.stringify(json));
            site.startWorker();
            await site.waitForState(id, 'ready');
        }),
    );

    test(
        'before the upload: it is encoded once a worker is there',
        withSite({}, async (site) => {
            const id = await upload(site, shortClip);
            await sleep(200);
            assert.equal((await site.api('GET', `/api/videos/${id}`)).json.state, 'stored');
            site.startWorker();
            await site.waitForState(id, 'ready');
        }),
    );

    test(
        'two workers on one site do each job once',
        withSite({ worker: true, env: { DROPSTREAM_JOBS: '2' } }, async (site) => {
            const second = new site.constructor(site.dir, site.port, { DROPSTREAM_JOBS: '2' });
            second.startWorker();
            try {
                const ids = [];
                for (let i = 0; i < 6; i++) ids.push(await upload(site, shortClip));
                for (const id of ids) await site.waitForState(id, 'ready');
                const rows = await activity(site);
                assert.equal(rows.filter(({ message }) => /attempt/.test(message)).length, 0);
                assert.equal(rows.filter(({ message }) => message === '360p: encoded').length, 6);
            } finally {
                assert.equal((await second.end('worker')).code, 0);
            }
        }),
    );
});

describe('new work', () => {
    test(
        'wakes the worker by itself, however seldom it looks',
        withSite({ worker: true, env: { DROPSTREAM_POLL_MS: '60000' } }, async (site) => {
            await waitFor(async () => (await activity(site)).some(({ message }) => message === 'Worker started'));
            await sleep(300); // what it does when it starts is over
            const id = await upload(site, longClip);
            await waitFor(
                async () => (await site.api('GET', `/api/videos/${id}`)).json.state !== 'stored',
                { every: 20, what: 'the job to begin' }, // long before it looks again
            );
        }),
    );
});

describe('deleting', () => {
    test(
        'in the middle of an encode stops the child and leaves no file',
        withPacedWorker({}, async (site) => {
            const id = await upload(site, longClip);
            const { media } = await halfWay(site, id);
            assert.equal((await site.request('GET', media)).status, 200);
            assert.equal((await site.api('DELETE', `/api/videos/${id}`)).status, 204);
            assert.equal((await site.api('GET', `/api/videos/${id}`)).status, 404);
            // lighttpd may serve a file that it holds open for a moment longer.
            await waitFor(async () => (await site.request('GET', media)).status === 404);
            await waitFor(
                async () =>
                    (await site.spool()).length === 0 &&
                    (await fs.readdir(site.path('htdocs/media'))).length === 0 &&
                    (await ffmpegsOf(site)).length === 0,
                { what: 'everything to be gone' },
            );
            assert.deepEqual(await fs.readdir(site.path('tmp')), []);
        }),
    );

    test(
        'while no worker runs is done when one starts',
        withSite({ worker: true }, async (site) => {
            const id = await upload(site, shortClip);
            await site.waitForState(id, 'ready');
            await site.end('worker');
            assert.equal((await site.api('DELETE', `/api/videos/${id}`)).status, 204);
            assert.equal((await fs.readdir(site.path('htdocs/media'))).length, 1);
            site.startWorker();
            await waitFor(async () => (await fs.readdir(site.path('htdocs/media'))).length === 0);
            assert.deepEqual(await site.spool(), []);
        }),
    );
});

describe('deleting many', () => {
    test(
        'while no worker runs: all of them go when one starts',
        withSite({}, async (site) => {
            const ids = [];
            for (let i = 0; i < 100; i++) ids.push((await site.upload(tinyMp4(2000))).json.id);
            for (const id of ids) assert.equal((await site.api('DELETE', `/api/videos/${id}`)).status, 204);
            assert.equal((await site.spool()).length, 100);
            site.startWorker();
            await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
        }),
    );
});

test(
    'jobs whose end could not be told are free when the worker stops',
    withSite({ worker: true, posters: true }, async (site) => {
        const stateOf = () => site.sql("SELECT state FROM jobs WHERE kind = 'poster'");
        await site.waitForState(await upload(site, shortClip), 'ready');
        await waitFor(async () => (await stateOf()) === 'done');
        await site.sql(`UPDATE jobs SET state = 'running', due_ms = 1000000000000, ended_ms = NULL,
            due_boot = (SELECT beat_boot FROM workers), owner = (SELECT owner FROM workers) WHERE kind = 'poster'`);
        await site.end('worker');
        assert.equal(await stateOf(), 'queued');
        site.startWorker();
        await waitFor(async () => (await stateOf()) === 'done', { what: 'the poster to be made again' });
    }),
);

describe('playlists', () => {
    test('that could not follow the store do so when the worker is started again', async (t) => {
        const go = path.join(temp.dir, 'go');
        const gate = await script('gate', `while ! [ -e ${go} ]; do sleep 0.05; done\nexec ffmpeg "$@"`);
        await withSite({ worker: true, env: { DROPSTREAM_FFMPEG: gate } }, async (site) => {
            const id = await upload(site, shortClip);
            await waitFor(async () => (await site.api('GET', `/api/videos/${id}`)).json.state === 'processing');
            const master = Object.keys(await mediaFiles(site)).find((name) => name.endsWith('/master.m3u8'));
            const planned = await fs.readFile(master, 'utf8');
            // What is measured can be told to the store, and not be written.
            await fs.rm(master);
            await fs.mkdir(master);
            await fs.writeFile(go, '');
            await site.waitForState(id, 'ready');
            await site.end('worker', 'SIGKILL');
            await fs.rmdir(master);
            await fs.writeFile(master, planned);
            assert.doesNotMatch(planned, /AVERAGE-BANDWIDTH/);
            site.startWorker();
            await waitFor(async () => /AVERAGE-BANDWIDTH/.test(await fs.readFile(master, 'utf8')));
        })(t);
    });
});

describe('a live log that nobody reads', () => {
    test(
        'does not hold up the worker',
        withSite({ env: { DROPSTREAM_ATTEMPTS: '1' } }, async (site) => {
            // A reader that never reads: the pipe fills, and stays full.
            const child = spawn(
                'setpriv',
                ['--pdeathsig', 'KILL', '--', site.path('bin/dropstream-worker'), '--site', site.dir, '--live'],
                { env: site.env, stdio: ['ignore', 'pipe', 'inherit'] },
            );
            child.stdout.pause();
            const exited = new Promise((resolve) => child.on('exit', resolve));
            try {
                const title = 'x'.repeat(200);
                const talk = async () => {
                    for (let i = 0; i < 10; i++) {
                        const { json } = await site.upload(tinyMp4(2000), { fields: { title } });
                        for (let j = 0; j < 5; j++)
                            await site.api('PATCH', `/api/videos/${json.id}`, { title: `${title}${j}` });
                    }
                };
                await Promise.all(Array.from({ length: 8 }, talk));
                await site.waitForState(await upload(site, shortClip), 'ready');
            } finally {
                child.kill('SIGTERM');
                assert.equal(await exited, 0);
            }
        }),
    );
});

describe('children that misbehave', () => {
    const quick = { DROPSTREAM_BACKOFF_MS: '50' };

    test('a child that hangs and ignores SIGTERM is killed, retried, and given up', async (t) => {
        const hang = await script('hang', "trap '' TERM; echo last words >&2; sleep 600 & wait; sleep 600");
        const impatient = { DROPSTREAM_STALL_S: '3', DROPSTREAM_GRACE_S: '1', DROPSTREAM_ATTEMPTS: '2' };
        const env = { ...quick, ...impatient, DROPSTREAM_FFMPEG: hang };
        await withSite({ worker: true, env }, async (site) => {
            const id = await upload(site, shortClip);
            const video = await site.waitForState(id, 'failed', { timeout: 30_000 });
            assert.match(video.error, /made no progress for 3 s and was stopped: last words/);
            assert.deepEqual((await site.processes()).filter(({ cmdline }) => /sleep 600/.test(cmdline)), []);

            // With the real one, the same video comes out well under new addresses.
            await site.end('worker');
            site.env.DROPSTREAM_FFMPEG = 'ffmpeg';
            delete site.env.DROPSTREAM_STALL_S; // of a busy machine nobody need be impatient
            site.startWorker();
            assert.equal((await site.api('POST', `/api/videos/${id}/retry`)).status, 202);
            const again = await site.waitForState(id, ['ready', 'processing', 'stored']);
            assert.equal(again.error, null);
            const ready = await waitFor(async () => {
                const { json } = await site.api('GET', `/api/videos/${id}`);
                return json.state === 'ready' && json;
            });
            const { master } = await fetchVideo(site, ready);
            assert.equal(master.variants[0].URI, '360p-2/index.m3u8');
            const left = Object.keys(await mediaFiles(site)).filter((name) => /360p-1/.test(name));
            assert.deepEqual(left, [], 'the old generation is gone');
        })(t);
    });

    test('exit 0 with half of the segments is not believed', async (t) => {
        // The first call of each kind writes its stream's first half; later ones are real.
        const half = await script('half', `
mark=${temp.dir}/half.done.$(echo "$*" | grep -c libx264)
[ -e "$mark" ] && exec ffmpeg "$@"
: > "$mark"
ffmpeg "$@" | head -c 30000`);
        await withSite({ worker: true, env: { ...quick, DROPSTREAM_FFMPEG: half } }, async (site) => {
            const id = await upload(site, longClip);
            const video = await site.waitForState(id, 'ready');
            await fetchVideo(site, video);
            const rows = await activity(site);
            assert.ok(rows.some(({ message }) => /360p: attempt 1 failed/.test(message)), 'it was noticed');
        })(t);
    });

    test('a stream of something else is never published', async (t) => {
        const lie = await script('lie', 'head -c 200000 /dev/urandom');
        const env = { ...quick, DROPSTREAM_FFMPEG: lie, DROPSTREAM_ATTEMPTS: '1' };
        await withSite({ worker: true, posters: true, env }, async (site) => {
            const id = await upload(site, shortClip);
            const video = await site.waitForState(id, 'failed');
            assert.match(video.error, /The (picture|sound) could not be decoded/);
            const files = Object.keys(await mediaFiles(site));
            assert.deepEqual(files.filter((name) => /m4s|mp4|jpg/.test(name)), []);
        })(t);
    });

    test('a program that is missing is said to be', async (t) => {
        const env = { ...quick, DROPSTREAM_FFPROBE: '/nonexistent/ffprobe', DROPSTREAM_ATTEMPTS: '2' };
        await withSite({ worker: true, env }, async (site) => {
            const id = await upload(site, shortClip);
            const video = await site.waitForState(id, 'failed');
            assert.match(video.error, /ffprobe cannot be started: is it installed\?/);
            assert.equal((await site.api('GET', '/api/health')).status, 200);
        })(t);
    });

    test('sound that cannot be decoded does not take the picture with it', async (t) => {
        const mute = await script('mute', 'case "$*" in *aresample*) echo no sound >&2; exit 1;; esac; exec ffmpeg "$@"');
        const env = { ...quick, DROPSTREAM_FFMPEG: mute, DROPSTREAM_ATTEMPTS: '2' };
        await withSite({ worker: true, env }, async (site) => {
            const id = await upload(site, shortClip);
            const video = await site.waitForState(id, 'ready');
            assert.match(video.warning, /The sound could not be decoded and was left out/);
            const { master, audio } = await fetchVideo(site, video);
            assert.equal(audio, undefined);
            assert.doesNotMatch(master.variants[0].CODECS, /mp4a/);
        })(t);
    });

    test('a poster that cannot be made leaves the video ready', async (t) => {
        const blind = await script('blind', 'case "$*" in *image2pipe*) exit 1;; esac; exec ffmpeg "$@"');
        const env = { ...quick, DROPSTREAM_FFMPEG: blind, DROPSTREAM_ATTEMPTS: '2' };
        await withSite({ worker: true, posters: true, env }, async (site) => {
            const id = await upload(site, shortClip);
            const video = await site.waitForState(id, 'ready');
            assert.equal(video.poster, null);
        })(t);
    });

    test('a log that fills up is cut, and the video is made all the same', async (t) => {
        const loud = await script('loud', '(yes noise | head -c 3000000) >&2; exec ffmpeg "$@"');
        const env = { ...quick, DROPSTREAM_FFMPEG: loud, DROPSTREAM_JOB_LOG_KB: '4' };
        await withSite({ worker: true, env }, async (site) => {
            await site.waitForState(await upload(site, shortClip), 'ready');
            for (const name of await fs.readdir(site.path('log/jobs'))) {
                const { size } = await fs.stat(site.path('log/jobs', name));
                assert.ok(size < 5000, `${name}: ${size}`);
            }
        })(t);
    });
});

describe('leftovers', () => {
    test(
        'an upload whose handler was killed is taken away',
        withSite({ worker: true, env: { DROPSTREAM_SETTLE_S: '1' } }, async (site) => {
            const half = tinyMp4(300_000);
            const head = `POST /api/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n` +
                'Content-Type: multipart/form-data; boundary=b\r\n\r\n' +
                '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n';
            const talk = site.raw([Buffer.concat([Buffer.from(head), half])], { pause: 1500 }).catch(() => {});
            await waitFor(async () => (await site.spool()).length === 1, { what: 'a .part file' });
            assert.match((await site.spool())[0], /^[a-z2-7]{16}\.part$/);
            const { 'upload.fcgi': pid } = await site.handlers();
            process.kill(pid, 'SIGKILL');
            await talk;
            await site.end('worker');
            await sleep(2100); // it is left alone for settle_s
            site.startWorker();
            await waitFor(async () => (await site.spool()).length === 0, { what: 'the spool to be empty' });
            await waitFor(async () => (await site.api('GET', '/api/videos')).json.videos.length === 0);
        }),
    );

    test(
        'spool files of no video are taken away, but what was whole; others are left alone',
        withSite({ env: { DROPSTREAM_SETTLE_S: '1' } }, async (site) => {
            const id = await upload(site, shortClip);
            for (const name of ['aaaaaaaaaaaaaaaa.part', 'bbbbbbbbbbbbbbbb.src', 'notes.txt'])
                await fs.writeFile(site.path('spool', name), 'x');
            await sleep(2100);
            await fs.writeFile(site.path('tmp/media-cccccccccccccccc'), 'x');
            site.startWorker();
            await site.waitForState(id, 'ready');
            await waitFor(async () => (await site.spool()).length === 3);
            assert.deepEqual(await site.spool(), [`${id}.src`, 'lost', 'notes.txt'].sort());
            assert.deepEqual(await fs.readdir(site.path('spool/lost')), ['bbbbbbbbbbbbbbbb.src']);
            assert.deepEqual(await fs.readdir(site.path('tmp')), []);
        }),
    );
});
