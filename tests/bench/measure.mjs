/*
 * measure.mjs: what the benches share: CPU time and memory of processes out of
 * /proc, medians, a table, and which parts of a bench are wanted. The limits that a bench
 * holds its result against are its own; it ends with status 1 if one is broken.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';

const TICKS_PER_S = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
export const TICK_US = 1e6 / TICKS_PER_S;

/* The fields of /proc/<pid>/stat from the third on (proc(5)); null if it has ended. */
function statOf(pid) {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
        return text.slice(text.lastIndexOf(')') + 2).split(' ');
    } catch {
        return null;
    }
}

/* pid and all its living descendants. */
export function family(pid) {
    const parentOf = new Map();
    for (const name of readdirSync('/proc')) {
        const stat = /^\d+$/.test(name) && statOf(name);
        if (stat) parentOf.set(Number(name), Number(stat[1]));
    }
    const found = [pid];
    for (const one of found)
        for (const [child, parent] of parentOf) if (parent === one) found.push(child);
    return found;
}

/* CPU seconds, user and system, that pids have used, and with them those of their
 * children that have ended. */
export function cpuSeconds(pids) {
    let ticks = 0;
    for (const pid of pids) {
        const stat = statOf(pid);
        if (!stat) throw new Error(`process ${pid} has ended`);
        for (const field of stat.slice(11, 15)) ticks += Number(field);
    }
    return ticks / TICKS_PER_S;
}

/* CPU time of a process itself, in ticks: { user, system }. */
export function cpuTicks(pid) {
    const stat = statOf(pid);
    if (!stat) throw new Error(`process ${pid} has ended`);
    return { user: Number(stat[11]), system: Number(stat[12]) };
}

/* CPU seconds of the children of pid that have ended and been waited for. */
export function childCpuSeconds(pid) {
    const stat = statOf(pid);
    if (!stat) throw new Error(`process ${pid} has ended`);
    return (Number(stat[13]) + Number(stat[14])) / TICKS_PER_S;
}

/* The most resident memory that a process ever had, in MB of 10^6 bytes. */
export function peakMb(pid) {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return (Number(kib[1]) * 1024) / 1e6;
}

export function median(values) {
    return quantile(values, 0.5);
}

/* Linear between the two nearest values; q from 0 to 1. */
export function quantile(values, q) {
    const sorted = [...values].sort((a, b) => a - b);
    const at = (sorted.length - 1) * q;
    const below = Math.floor(at);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

/* Rows of cells, right-aligned; the first row is the head. */
export function printTable(rows) {
    const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
    for (const row of rows)
        console.log('  ' + row.map((cell, i) => String(cell).padStart(widths[i])).join('  '));
}

/* Says whether a value keeps its limit; remembers a broken one in the exit status. */
export function mustHold(what, value, limit, unit = '') {
    const holds = value <= limit;
    if (!holds) process.exitCode = 1;
    const shown = `${value.toFixed(2)}${unit}, limit ${limit}${unit}`;
    console.log(`  ${holds ? 'PASS  ' : 'BROKEN'}  ${what}: ${shown}`);
}

/* Results against their limits, which one table shows at the end of a bench. A broken one
 * is remembered in the exit status. */
export class Verdicts {
    #rows = [];

    /* atLeast: the limit is a floor. */
    add(what, value, limit, { unit = '', atLeast = false, digits = 2 } = {}) {
        const holds = atLeast ? value >= limit : value <= limit;
        if (!holds) process.exitCode = 1;
        const must = `${atLeast ? '≥' : '≤'} ${limit}${unit}`;
        this.#rows.push([what, value.toFixed(digits) + unit, must, holds ? 'PASS' : 'BROKEN']);
    }

    /* A figure that has no limit. */
    note(what, text) {
        this.#rows.push([what, text, '', '']);
    }

    print() {
        const rows = [['', 'measured', 'must hold', ''], ...this.#rows];
        const width = Math.max(...rows.map(([what]) => what.length));
        printTable(rows.map(([what, ...cells]) => [what.padEnd(width), ...cells]));
    }
}

/* A whole number from the environment, for a bench that should be longer or shorter. */
export function setting(name, fallback) {
    const text = process.env[name] ?? String(fallback);
    if (!/^[1-9][0-9]*$/.test(text)) throw new Error(`${name}=${text}: a number is needed`);
    return Number(text);
}

/* Those of a bench's parts that DROPSTREAM_BENCH_PARTS ("1,3") names; all if it is not
 * set. modules: number → the module of a part. */
export function wantedParts(modules) {
    const parts = (process.env.DROPSTREAM_BENCH_PARTS ?? Object.keys(modules).join()).split(',');
    const unknown = parts.find((part) => !(part in modules));
    if (unknown !== undefined) throw new Error(`DROPSTREAM_BENCH_PARTS: there is no part ${unknown}`);
    return parts;
}

/* What work resolves to; rejects if that takes longer. */
export function within(seconds, work, what) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s`)), seconds * 1000);
    });
    work.catch(() => {}); // also if it fails when nobody listens any more
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/* The load average of the last minute (getloadavg(3)), as text. */
export const load = () => os.loadavg()[0].toFixed(2);

/* Ends with a plain message if a program or file that a bench needs is missing. */
export function needs(found, what) {
    if (found) return;
    console.error(`this bench needs ${what}`);
    process.exit(2);
}

export function hasProgram(name) {
    try {
        execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}
