/*
 * Some seconds of `make storm`: programs are killed at random while people upload, watch and
 * delete. What it holds to is in tests/faults/storm.mjs.
 */
import { test } from 'node:test';

import { storm } from '../faults/storm.mjs';

test('programs that are killed at random, under load, break nothing', async (t) => {
    t.diagnostic(JSON.stringify(await storm({ seconds: 15, extras: false, keep: 2 })));
});
