/*
 * auth.mjs: what it costs that people sign in.
 *
 * 1. sign-in: whether the time tells a name that somebody has from one that nobody has
 * 2. static: what lighttpd does for a segment by its key alone, against one that only serves
 *    files (needs valgrind and strace)
 * 3. strict: CPU of a request for one that is asked about, with a pass and with a token
 * 4. guessing: keys, tokens and links that are guessed find nothing and slow nobody down
 *
 * DROPSTREAM_BENCH_PARTS picks some; DROPSTREAM_BENCH_SIGN_INS (500), _REQUESTS (400),
 * _ROUNDS (30), _GUESSES (10000).
 */
import * as guessing from './auth_guessing.mjs';
import * as segments from './auth_segments.mjs';
import * as signIn from './auth_sign_in.mjs';
import * as byKey from './auth_static.mjs';
import * as measure from './measure.mjs';

const PARTS = { 1: signIn, 2: byKey, 3: segments, 4: guessing };
const verdicts = new measure.Verdicts();

for (const number of measure.wantedParts(PARTS)) {
    const part = PARTS[number];
    console.log(`\n${number}. ${part.title} (load ${measure.load()})`);
    await measure.within(part.limitS, part.run(verdicts), part.title);
}
console.log('');
verdicts.print();
