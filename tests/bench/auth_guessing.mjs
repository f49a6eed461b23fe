/*
 * auth_guessing.mjs: part 4 of bench-auth. Keys of media, tokens, session cookies and links
 * that are guessed, as fast as two connections can; beside that somebody asks for their
 * library, and again after it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setUp } from '../lib/accounts.mjs';
import { sleep, startSite, tinyMp4 } from '../lib/site.mjs';
import { KINDS } from './auth_guesser.mjs';
import * as measure from './measure.mjs';

const GUESSES = measure.setting('DROPSTREAM_BENCH_GUESSES', 10_000);
const QUIET_MS = 3000;
const DURING_LIMIT = 3; // the one who guesses takes a core of the same machine
const AFTER_LIMIT = 1.25;

export const title = `${GUESSES} guesses each`;
export const limitS = 900;

/* Resolves when all were guessed in vain. */
function guessAll(site, kind) {
    const guesser = fileURLToPath(new URL('auth_guesser.mjs', import.meta.url));
    const child = fork(guesser, [site.port, kind, GUESSES]);
    return new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`guessing ${kind} ended with ${code}`))));
    });
}

/* ms of requests for the library, one after another, until `until` says so. */
async function watch(owner, until) {
    const took = [];
    while (!until()) {
        const began = performance.now();
        const { status } = await owner.api('GET', '/api/videos');
        if (status !== 200) throw new Error(`the library was answered with ${status}`);
        took.push(performance.now() - began);
        await sleep(2);
    }
    return took;
}

const quiet = (owner, end = Date.now() + QUIET_MS) => watch(owner, () => Date.now() > end);

export async function run(verdicts) {
    const site = await startSite({ env: { DROPSTREAM_AUTH: 'required' } });
    const rows = [['', 'guesses/s', 'median ms before', 'during', 'after', 'p99 before', 'during', 'after']];
    const [during, after] = [[], []];
    try {
        const owner = await setUp(site, 'olga');
        for (let i = 0; i < 20; i++) await owner.upload(tinyMp4());
        await quiet(owner);
        for (const kind of Object.keys(KINDS)) {
            const times = [await quiet(owner)];
            let done = false;
            const began = performance.now();
            const guessing = guessAll(site, kind).finally(() => (done = true));
            times.push(await watch(owner, () => done));
            await guessing;
            const perS = (1000 * GUESSES) / (performance.now() - began);
            times.push(await quiet(owner));
            const ms = (q) => times.map((values) => measure.quantile(values, q).toFixed(2));
            rows.push([kind, perS.toFixed(0), ...ms(0.5), ...ms(0.99)]);
            const [a, b, c] = times.map(measure.median);
            during.push(b / a);
            after.push(c / a);
        }
    } finally {
        await site.stop();
    }
    measure.printTable(rows);
    verdicts.add('guessing: median time of other requests beside it, against before', Math.max(...during), DURING_LIMIT);
    verdicts.add('… and after it', Math.max(...after), AFTER_LIMIT);
}
