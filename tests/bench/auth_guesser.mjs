/* auth_guesser.mjs PORT KIND COUNT: guesses so many keys, tokens … of a site, in a process of
 * its own, and ends with status 0 if nothing was found. */
import http from 'node:http';
import { pathToFileURL } from 'node:url';
import { letters } from '../lib/accounts.mjs';

const AT_ONCE = 2;

export const KINDS = {
    'keys of media': () => ({ path: `/media/${letters(26)}/master.m3u8`, expect: 404 }),
    'keys of segments': () => ({ path: `/media/${letters(26)}/360p-1/0.m4s`, expect: 404 }),
    tokens: () => ({ path: '/api/videos', headers: { Authorization: `Bearer ${letters(52)}` }, expect: 401 }),
    'session cookies': () => ({ path: '/api/videos', headers: { Cookie: `dropstream_session=${letters(52)}` }, expect: 401 }),
    'links of shares': () => ({ path: `/api/shares/${letters(26)}`, expect: 404 }),
};

function guess(port, agent, make) {
    const { path, headers = {}, expect } = make();
    return new Promise((resolve, reject) => {
        http.get({ host: '127.0.0.1', port, agent, path, headers }, (res) => {
            if (res.statusCode !== expect) reject(new Error(`${path}: ${res.statusCode}`));
            res.on('data', () => {}).on('end', resolve);
        }).on('error', reject);
    });
}

/* Rejects with the first that is answered as if there were something. */
export async function guessAll(port, make, count) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });
    let left = count;
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) await guess(port, agent, make);
    }));
    agent.destroy();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
    const [port, kind, count] = process.argv.slice(2);
    await guessAll(Number(port), KINDS[kind], Number(count));
}
