import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakeFile, fakeMp4, vanish } from './fake_file';
import { FakeXhr } from './fake_xhr';
import { newUploadId, send } from './send';
import { sendRest } from './send_rest';
import { Uploads } from './uploads.svelte';

let now: number;
let moves: number;
let uploads: Uploads;

beforeEach(() => {
  FakeXhr.all = [];
  now = 0;
  moves = 0;
  vi.stubGlobal('XMLHttpRequest', FakeXhr);
  const memory = {
    claim: async () => '',
    remember: () => {},
    drop: () => {},
    release: () => {},
    forget: async () => {},
  };
  uploads = new Uploads(memory, () => (moves += 1), {
    whole: send,
    rest: (file, uploadId, events) => sendRest(file, uploadId, 0, events),
    newId: () => String(FakeXhr.all.length).padStart(32, '0'),
    now: () => now,
  });
});
afterEach(() => {
  for (const upload of uploads.items) upload.cancel(); // its timers would keep node alive
  vi.unstubAllGlobals();
});

const states = () => uploads.items.map((u) => u.state);
/** Lets the checks of the first bytes finish. */
const settle = () => vi.waitFor(() => expect(states()).not.toContain('checking'), { interval: 2 });

/** One after another: which of several is checked first is up to the machine. */
async function add(...files: File[]) {
  for (const file of files) {
    uploads.add([file]);
    await settle();
  }
}

test('a file is checked before anything is sent', async () => {
  uploads.add([fakeMp4('a.mp4')]);
  expect(states()).toEqual(['checking']);
  expect(FakeXhr.all).toHaveLength(0);
  await settle();
  expect(states()).toEqual(['sending']);
});

test('a wrong file is refused in words and nothing is sent', async () => {
  await add(fakeFile('notes.mp4', new TextEncoder().encode('#!/bin/sh\necho no video at all\n')));
  expect(states()).toEqual(['refused']);
  expect(uploads.items[0]!.message).toContain('script');
  expect(FakeXhr.all).toHaveLength(0);
  expect(uploads.pending).toBe(false);
});

test('an unreadable file is refused in words', async () => {
  await add(vanish(fakeFile('holiday', [])));
  expect(states()).toEqual(['refused']);
  expect(uploads.items[0]!.message).toContain('folder');
});

test('the form has its fields before the file', async () => {
  await add(fakeMp4('a b.mp4', 321));
  const xhr = FakeXhr.all[0]!;
  expect([xhr.method, xhr.url]).toEqual(['POST', '/api/videos']);
  const names = [...xhr.form.keys()];
  expect(names).toEqual(['upload_id', 'size', 'file']);
  expect(xhr.form.get('upload_id')).toBe('0'.repeat(32));
  expect(xhr.form.get('size')).toBe('321');
  expect((xhr.form.get('file') as File).name).toBe('a b.mp4');
});

test('an index at the end goes ahead of the file, and counts for nothing in its progress', async () => {
  await add(fakeMp4('a.mp4', 1000, 100));
  const xhr = FakeXhr.all[0]!;
  expect([...xhr.form.keys()]).toEqual(['upload_id', 'size', 'index_offset', 'index', 'file']);
  expect(xhr.form.get('index_offset')).toBe('900');
  const index = await (xhr.form.get('index') as Blob).text();
  expect(index).toBe(`\0\0\0dmoov${'\0'.repeat(92)}`);
  expect((xhr.form.get('file') as File).size).toBe(1000);

  const upload = uploads.items[0]!;
  xhr.progress(80, 1100);
  expect(upload.sent).toBe(0);
  xhr.progress(600, 1100);
  expect(upload.sent).toBe(500);
});

test('a file whose index is refused is sent without it', async () => {
  await add(fakeMp4('a.mp4', 1000, 100));
  const error = { code: 'bad_index', message: 'The index that was sent is damaged.' };
  FakeXhr.all[0]!.answer(422, { error });
  expect(states()).toEqual(['sending']);
  expect(FakeXhr.all).toHaveLength(2);
  expect([...FakeXhr.last.form.keys()]).toEqual(['upload_id', 'size', 'file']);
  FakeXhr.last.answer(422, { error });
  expect(states()).toEqual(['failed']);
});

test('the name of an attempt is 128 random bits in hex', () => {
  vi.stubGlobal('crypto', {
    getRandomValues: (bytes: Uint8Array) => bytes.map((_, i) => (i === 0 ? 0x0a : 0xf0 + i)),
  });
  expect(newUploadId()).toBe('0af1f2f3f4f5f6f7f8f9fafbfcfdfeff');
  vi.unstubAllGlobals();
});

test('two are sent at a time, the others wait for their turn', async () => {
  await add(fakeMp4('1.mp4'), fakeMp4('2.mp4'), fakeMp4('3.mp4'));
  expect(states()).toEqual(['sending', 'sending', 'waiting']);
  FakeXhr.all[0]!.answer(201, { id: 'x' });
  expect(states()).toEqual(['done', 'sending', 'sending']);
});

test('the speed and the time left follow the bytes', async () => {
  await add(fakeMp4('a.mp4', 10_000));
  const upload = uploads.items[0]!;
  expect(upload.eta).toBe(Infinity);
  now = 1000;
  FakeXhr.all[0]!.progress(2100, 10_500); // the body is 500 bytes longer than the file
  expect(upload.sent).toBe(2000);
  expect(upload.speed).toBe(2000);
  expect(upload.eta).toBe(4);
  expect(uploads.share).toBeCloseTo(0.2);
});

test('all sent is not yet kept', async () => {
  await add(fakeMp4('a.mp4'));
  FakeXhr.all[0]!.upload.onload!();
  expect(states()).toEqual(['finishing']);
  expect(uploads.items[0]!.share).toBe(1);
  expect(uploads.pending).toBe(true);
  FakeXhr.all[0]!.answer(201, { id: 'abc' });
  expect(states()).toEqual(['done']);
  expect(uploads.items[0]!.videoId).toBe('abc');
  expect(uploads.pending).toBe(false);
});

test.each([
  [413, { error: { code: 'too_large', message: 'At most 4 GB.' } }, 'At most 4 GB.'],
  [415, { error: { code: 'x', message: 'This is a script.' } }, 'This is a script.'],
  [507, '<html>full</html>', 'The disk of this site is full.'],
  [201, 'not json', 'The server gave an answer that makes no sense.'],
])('an answer of %d is said in words', async (status, body, message) => {
  await add(fakeMp4('a.mp4'));
  FakeXhr.all[0]!.answer(status, body);
  expect(states()).toEqual(['failed']);
  expect(uploads.items[0]!.message).toBe(message);
});

test('what was refused can be tried again, under a new name and from zero', async () => {
  await add(fakeMp4('a.mp4'));
  FakeXhr.last.progress(500, 1000);
  FakeXhr.last.answer(507);
  const upload = uploads.items[0]!;
  uploads.retry(upload);
  expect(upload.state).toBe('sending');
  expect([upload.sent, upload.message]).toEqual([0, '']);
  const ids = FakeXhr.all.map((x) => x.form.get('upload_id'));
  expect(ids[0]).not.toBe(ids[1]);
});

test('whoever shows the library is told when an upload begins and ends', async () => {
  await add(fakeFile('no.txt', [1, 2, 3]));
  expect(moves).toBe(0);
  await add(fakeMp4('1.mp4'), fakeMp4('2.mp4'));
  expect(moves).toBe(2);
  FakeXhr.all[0]!.answer(201, { id: 'x' });
  expect(moves).toBe(3);
  FakeXhr.all[1]!.answer(413);
  expect(moves).toBe(4);
  uploads.cancel(uploads.items[2]!);
  expect(moves).toBe(5);
});

test('a failure lets the next one go', async () => {
  await add(fakeMp4('1.mp4'), fakeMp4('2.mp4'), fakeMp4('3.mp4'));
  FakeXhr.all[1]!.answer(413);
  expect(states()).toEqual(['sending', 'failed', 'sending']);
});

test('a cancelled upload is aborted, forgotten and makes room', async () => {
  await add(fakeMp4('1.mp4'), fakeMp4('2.mp4'), fakeMp4('3.mp4'));
  uploads.cancel(uploads.items[0]!);
  expect(FakeXhr.all[0]!.aborted).toBe(true);
  expect(states()).toEqual(['sending', 'sending']);
  expect(uploads.items.map((u) => u.message)).toEqual(['', '']);
});

test('a file cancelled while it is checked is never sent', async () => {
  uploads.add([fakeMp4('a.mp4')]);
  uploads.cancel(uploads.items[0]!);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(FakeXhr.all).toHaveLength(0);
});

test('what is over can be cleared, what failed stays to be retried', async () => {
  await add(fakeMp4('1.mp4'), fakeMp4('2.mp4'), fakeFile('x.txt', [1, 2, 3]));
  FakeXhr.all[0]!.answer(201, { id: 'x' });
  FakeXhr.all[1]!.answer(413);
  expect(uploads.clearable).toBe(true);
  uploads.clear();
  expect(states()).toEqual(['failed']);
  expect(uploads.clearable).toBe(false);
});
