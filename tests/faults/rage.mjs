/* rage.mjs: `make storm`. SECONDS as its argument. */
import { storm } from './storm.mjs';

const say = (text) => console.log(`  ${text}`);
const list = (counts) => Object.entries(counts).map(([name, n]) => `${n} ${name}`).join(', ') || 'none';

const { kills, retried, ...found } = await storm({ seconds: Number(process.argv[2]), say });
const errors = {};
for (const { error } of retried) errors[error] = (errors[error] ?? 0) + 1;
say(list(found));
say(`${Object.values(kills).reduce((sum, n) => sum + n, 0)} kills: ${list(kills)}`);
say(`${retried.length} retries of failed videos, each attempt of which was killed: ${list(errors)}`);
say('no invariant is broken');
