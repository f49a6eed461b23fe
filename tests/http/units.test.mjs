/*
 * The service units for systemd: what systemd itself says of how far each is locked in.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { SOURCE } from '../lib/site.mjs';

/* The most exposure that is let pass, in tenths of what systemd-analyze(1) shows. */
const MOST = { 'dropstream-worker.service': 15, 'dropstream-web.service': 20 };

function hasAnalyze() {
    try {
        execFileSync('systemd-analyze', ['--version']);
        return true;
    } catch {
        return false;
    }
}
const skip = !hasAnalyze() && 'systemd-analyze is not installed';

for (const [unit, most] of Object.entries(MOST))
    test(`${unit} is locked in`, { skip }, async () => {
        const file = path.join(SOURCE, 'etc/systemd', unit);
        const args = ['security', '--offline=true', '--no-pager', `--threshold=${most}`, file];
        const { stdout, stderr } = await promisify(execFile)('systemd-analyze', args);
        assert.match(stdout, /Overall exposure level/);
        assert.doesNotMatch(stderr, /Unknown|ignoring/);
    });
