import { expect, test } from 'vitest';

import { unfinishedText, uploadText } from './upload_text';

const text = (state: Parameters<typeof uploadText>[0]['state'], over = {}) =>
  uploadText({ state, sent: 0, speed: 0, eta: Infinity, pause: 0, file: { size: 2e9 }, ...over });

test('while bytes move, it is said how many and how long it takes', () => {
  expect(text('sending')).toBe('0 bytes of 2.0 GB');
  expect(text('sending', { sent: 5e8, speed: 1e6, eta: 1500 })).toBe(
    '500 MB of 2.0 GB · 1.0 MB/s · 25 min left',
  );
});

test('a lost upload says when it goes on', () => {
  expect(text('lost', { pause: 4 })).toBe('Going on in 4 s…');
});

test('a barred upload says how far it has come', () => {
  expect(text('barred', { sent: 5e8 })).toBe('500 MB of 2.0 GB');
});

test('every other state has its sentence, but for what has a reason to tell', () => {
  expect(text('waiting')).toBe('Waiting for its turn · 2.0 GB');
  expect(text('done')).toBe('Uploaded · 2.0 GB');
  for (const state of ['checking', 'asking', 'finishing'] as const) {
    expect(text(state)).toMatch(/^\w.+…$/);
  }
  for (const state of ['refused', 'failed'] as const) expect(text(state)).toBe('');
});

test('of an unfinished upload it is said what the server has, if that is known', () => {
  const upload = { uploadId: 'x', name: 'a.mp4', size: 2e9 };
  expect(unfinishedText({ ...upload, received: 68e7 })).toBe('34 % of 2.0 GB has arrived');
  expect(unfinishedText({ ...upload, received: null })).toBe('2.0 GB');
});
