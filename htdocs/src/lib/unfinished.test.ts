import { afterEach, beforeEach, expect, test } from 'vitest';

import { ApiError } from './api';
import type { FileFacts } from './fingerprint';
import { memoryShelf, SHELF_KEY, type Note, type Shelf } from './notebook';
import { UnfinishedUploads } from './unfinished.svelte';

const facts = (name: string): FileFacts => ({ name, size: 1000, lastModified: 7, fingerprint: 'f' });

let shelf: Shelf;
let channels: BroadcastChannel[];
/** What the server has of each upload; a number is a status where it refuses. */
let server: Map<string, { offset: number } | number>;
let asked: string[];

beforeEach(() => {
  shelf = memoryShelf();
  channels = [];
  server = new Map();
  asked = [];
});
afterEach(() => channels.forEach((channel) => channel.close()));

function serve(what: string, uploadId: string): number {
  asked.push(`${what} ${uploadId}`);
  const answer = server.get(uploadId) ?? 0;
  if (typeof answer === 'number') throw new ApiError(answer, '', '');
  return answer.offset;
}

/** Another page of the same browser. */
function page(of = ''): UnfinishedUploads {
  const channel = new BroadcastChannel('test-unfinished');
  channels.push(channel);
  return new UnfinishedUploads(of, {
    shelf,
    channel,
    offset: async (uploadId) => serve('HEAD', uploadId),
    remove: async (uploadId) => void serve('DELETE', uploadId),
  });
}

/** A page that has begun an upload and is closed. */
function leave(uploadId: string, name = `${uploadId}.mp4`, offset = 400) {
  page().remember(uploadId, facts(name));
  channels.pop()!.close();
  server.set(uploadId, { offset });
}

/** A page in view whose timers do not go off by themselves. */
const inView = (timers: (() => void)[] = []) => ({
  visible: () => true,
  onVisibility: () => () => {},
  later: (fn: () => void) => timers.push(fn),
  cancel: () => {},
});

const notes = () => JSON.parse(shelf.getItem(SHELF_KEY) ?? '[]') as Note[];
const ids = (u: UnfinishedUploads) => u.items.map((item) => item.uploadId);

test('what a page that is gone was busy with is listed, with what the server has of it', async () => {
  leave('a');
  leave('b', 'b.mp4', 0);
  const here = page();
  expect(here.items).toEqual([]);
  await here.refresh();
  expect(here.items).toEqual([
    { uploadId: 'a', name: 'a.mp4', size: 1000, received: 400 },
    { uploadId: 'b', name: 'b.mp4', size: 1000, received: 0 },
  ]);
});

test('what another page is busy with is left alone', async () => {
  const other = page();
  other.remember('a', facts('a.mp4'));
  const here = page();
  await here.refresh();
  expect([here.items, asked]).toEqual([[], []]);
  expect(await here.claim(facts('a.mp4'))).toBe('');
});

test('what this page is busy with is no leftover', async () => {
  const here = page();
  here.remember('a', facts('a.mp4'));
  await here.refresh();
  expect(here.items).toEqual([]);
  expect(await here.claim(facts('a.mp4'))).toBe('');
});

test('what the server has whole, or not at all, is listed no more', async () => {
  leave('whole', 'w.mp4', 1000);
  leave('gone');
  leave('deleted');
  server.set('gone', 404).set('deleted', 410);
  const here = page();
  await here.refresh();
  expect([here.items, notes()]).toEqual([[], []]);
});

test('a server that does not answer takes nothing away', async () => {
  leave('a');
  server.set('a', 0);
  const here = page();
  await here.refresh();
  expect(here.items.map((item) => item.received)).toEqual([null]);
});

test('the same file picked again claims its upload, once', async () => {
  leave('a');
  const here = page();
  await here.refresh();
  expect(await here.claim({ ...facts('a.mp4'), lastModified: 8 })).toBe('');
  const both = await Promise.all([here.claim(facts('a.mp4')), here.claim(facts('a.mp4'))]);
  expect(both.sort()).toEqual(['', 'a']);
  expect(here.items).toEqual([]);
});

test('a file is asked about without a pause where nothing is unfinished', async () => {
  const here = page();
  await here.claim(facts('a.mp4'));
  expect(channels).toHaveLength(1);
});

test('what is dropped is over', async () => {
  const here = page();
  here.remember('a', facts('a.mp4'));
  here.drop('a');
  expect(notes()).toEqual([]);
  await here.refresh();
  expect([here.items, asked]).toEqual([[], []]);
});

test('what is released is listed again', async () => {
  const here = page();
  here.remember('a', facts('a.mp4'));
  server.set('a', { offset: 5 });
  here.release('a');
  await here.refresh();
  expect(ids(here)).toEqual(['a']);
});

test('what is forgotten goes from the list and from the server', async () => {
  leave('a');
  leave('b');
  const here = page();
  await here.refresh();
  await here.forget('a');
  expect([ids(here), asked.at(-1)]).toEqual([['b'], 'DELETE a']);
  expect(notes().map((n) => n.uploadId)).toEqual(['b']);
});

test('a server that cannot be told of it now is told by a later page', async () => {
  leave('a');
  server.set('a', 0);
  await page().forget('a');
  const later = page();
  await later.refresh();
  expect(later.items).toEqual([]);
  expect(await later.claim(facts('a.mp4'))).toBe('');
  server.set('a', { offset: 400 });
  await later.refresh();
  expect([asked.at(-1), notes()]).toEqual(['DELETE a', []]);
});

test('what the server does not know cannot be taken away from it', async () => {
  leave('a');
  server.set('a', 404);
  await page().forget('a');
  expect(notes()).toEqual([]);
});

test('forgotten while the list is made, it is not on it', async () => {
  leave('a');
  const here = page();
  const list = here.refresh();
  server.set('a', 0);
  await here.forget('a');
  await list;
  expect(here.items).toEqual([]);
});

test('it looks at once, and again when the network or another page has news', async () => {
  const window = new EventTarget();
  const here = page();
  leave('a');
  const stop = here.start(window as Window, inView());
  await expect.poll(() => asked).toEqual(['HEAD a']);
  window.dispatchEvent(new Event('online'));
  await expect.poll(() => asked).toHaveLength(2);
  window.dispatchEvent(new Event('storage'));
  await expect.poll(() => asked).toHaveLength(3);
  stop();
  window.dispatchEvent(new Event('online'));
  await here.refresh();
  expect(asked).toHaveLength(4);
});

test('until the server says what it has of an upload it is asked again', async () => {
  const timers: (() => void)[] = [];
  leave('a');
  leave('b');
  server.set('a', 503).set('b', 403);
  const here = page();
  const stop = here.start(new EventTarget() as Window, inView(timers));
  await expect.poll(() => timers).toHaveLength(1);
  expect(here.items.map((item) => item.received)).toEqual([null, null]);
  server.set('a', { offset: 400 });
  timers.pop()!();
  await expect.poll(() => here.items.map((item) => item.received)).toEqual([400, null]);
  await here.forget('b'); // who is signed out is not asked for ever
  expect(timers).toHaveLength(0);
  stop();
});

test('who has signed in sees what is theirs, and leaves what is others’ alone', async () => {
  page('ada').remember('a', facts('a.mp4'));
  channels.pop()!.close();
  server.set('a', { offset: 5 });
  const bob = page('bob');
  await bob.refresh();
  expect([ids(bob), asked]).toEqual([[], []]);
  const again = page('ada');
  await again.refresh();
  expect(ids(again)).toEqual(['a']);
});

test('what is given up by one who is signed out is told to the server later', async () => {
  leave('a');
  const here = page();
  server.set('a', 401);
  await here.forget('a');
  expect(notes()).toMatchObject([{ uploadId: 'a', forgotten: true }]);
  server.set('a', { offset: 400 });
  await here.refresh();
  expect(notes()).toEqual([]);
});
