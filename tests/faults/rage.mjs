/* rage.mjs: `make storm`. SECONDS as its argument. */
import { storm } from './storm.mjs';

const found = await storm({ seconds: Number(process.argv[2]), say: (text) => console.log(`  ${text}`) });
console.log(`  ${Object.entries(found).map(([name, n]) => `${n} ${name}`).join(', ')}: no invariant is broken`);
