/*
 * auth_sign_in.mjs: part 1 of bench-auth. Wrong passwords for a name that somebody has and
 * for one that nobody has, in turns, the first of each pair changing.
 */
import { Client, PASSWORD, addUser, setUp, sql } from '../lib/accounts.mjs';
import { startSite } from '../lib/site.mjs';
import * as measure from './measure.mjs';

export const title = 'sign-in with a wrong password: a name that is known, and one that is not';
export const limitS = 300;

const PAIRS = measure.setting('DROPSTREAM_BENCH_SIGN_INS', 500);
const LIMIT = 5; // per cent

async function oneTry(site, name) {
    const client = new Client(site);
    const began = performance.now();
    const { status } = await client.api('POST', '/api/session', { name, password: `not ${PASSWORD}` });
    const took = performance.now() - began;
    if (status !== 401) throw new Error(`a wrong password was answered with ${status}`);
    return took;
}

export async function run(verdicts) {
    const site = await startSite({ env: { DROPSTREAM_AUTH: 'required' } });
    const known = [];
    const unknown = [];
    try {
        const owner = await setUp(site, 'olga');
        await addUser(owner, 'somebody', 'viewer');
        for (let i = 0; i < PAIRS + 5; i++) {
            // So that no try has to wait for the ones before.
            if (i % 2 === 0) await sql(site, 'DELETE FROM tries');
            const first = i % 4 < 2;
            const pair = {};
            for (const isKnown of [first, !first])
                pair[isKnown] = await oneTry(site, isKnown ? 'somebody' : 'nobody-x');
            if (i < 5) continue; // warming up
            known.push(pair.true);
            unknown.push(pair.false);
        }
    } finally {
        await site.stop();
    }
    const ms = (values) => [0.25, 0.5, 0.75].map((q) => measure.quantile(values, q).toFixed(2));
    measure.printTable([['ms', '25 %', 'median', '75 %'], ['known', ...ms(known)], ['unknown', ...ms(unknown)]]);
    const [a, b] = [measure.median(known), measure.median(unknown)];
    verdicts.add('sign-in: medians of a known and an unknown name differ by', (100 * Math.abs(a - b)) / Math.min(a, b), LIMIT, { unit: ' %' });
}
