/*
 * multipart.mjs: CPU of the multipart parser for files that look like boundaries all the
 * time, against one of random bytes, in one process and by turns.
 *
 *     make bench-multipart       DROPSTREAM_BENCH_MB (1000)
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { BUILD } from '../lib/site.mjs';
import * as measure from './measure.mjs';

const MB = measure.setting('DROPSTREAM_BENCH_MB', 1000);
const LIMIT = 2;

const out = execFileSync(path.join(BUILD, 'tests/bench/multipart_times'), [String(MB)], { encoding: 'utf8' });
const times = Object.fromEntries([...out.matchAll(/^(\S+) ([\d.]+)$/gm)].map(([, kind, s]) => [kind, Number(s)]));
const against = (kind, random = 'random') => times[kind] / times[random];
const verdicts = new measure.Verdicts();

verdicts.note(`${MB} MB of random bytes`, `${(times.random * 1000).toFixed(0)} ms`);
verdicts.add('… of "\\r\\n--", against those', against('line-ends'), LIMIT, { unit: ' ×' });
verdicts.add('… of "\\r", against those', against('returns'), LIMIT, { unit: ' ×' });
verdicts.note('… of boundaries without their last byte', `${against('boundaries').toFixed(2)} ×`);
verdicts.note('"\\r\\n--" where the boundary is curl\'s, mostly dashes', `${against('curl-line-ends', 'curl-random').toFixed(2)} ×`);
verdicts.print();
