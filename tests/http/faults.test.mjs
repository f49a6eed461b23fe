/*
 * A few of the points at which `make faults` kills upload.fcgi and the worker, or has their
 * disk fail: nothing is lost, nothing half made is shown, nothing is stuck.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsOfUploads } from '../faults/uploads.mjs';
import { faultsOfWorker } from '../faults/worker.mjs';

const total = (points) => Object.values(points).reduce((sum, n) => sum + n, 0);

test('upload.fcgi', async (t) => {
    const points = await faultsOfUploads({ stride: 11 });
    t.diagnostic(JSON.stringify(points));
    assert.ok(total(points) >= 25);
    assert.ok(points.killed > 0 && points['EIO of write'] > 0 && points['ENOSPC of write'] > 0);
});

test('the worker', async (t) => {
    const points = await faultsOfWorker({ stride: 120 });
    t.diagnostic(JSON.stringify(points));
    assert.ok(total(points) >= 6);
    assert.ok(points.killed > 0);
});
