import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Video } from './api';
import { fakeVideo } from './fake_video';
import { Library } from './library.svelte';

/** Requests wait here until the test answers them. */
let asked: { method: string; url: URL; answer: (status: number, body: unknown) => Promise<void> }[];

beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    return new Promise((resolve) => {
      asked.push({
        method: init.method ?? '',
        url: new URL(path, 'http://site'),
        async answer(status, body) {
          resolve({ status, text: async () => (body === null ? '' : JSON.stringify(body)) });
          await new Promise((done) => setTimeout(done));
        },
      });
    });
  });
});
afterEach(() => vi.unstubAllGlobals());

const page = (ids: string[], next: string | null = null) => ({
  videos: ids.map((id): Video => fakeVideo({ id })),
  next,
});
const ids = (library: Library) => library.videos.map((v) => v.id);
const last = () => asked.at(-1)!;

async function shown(...names: string[]): Promise<Library> {
  const library = new Library();
  const refreshed = library.refresh();
  await last().answer(200, page(names));
  await refreshed;
  return library;
}

test('shows what the server has', async () => {
  const library = new Library();
  expect(library.loaded).toBe(false);
  void library.refresh();
  expect(last().url.search).toBe('?limit=24&sort=newest');
  await last().answer(200, page(['a', 'b']));
  expect(library.loaded).toBe(true);
  expect(ids(library)).toEqual(['a', 'b']);
});

test('a deleted video does not come back with an answer that was under way', async () => {
  const library = await shown('a', 'b');
  void library.refresh();
  const stale = last();
  const removing = library.remove('a');
  await last().answer(204, null);
  await removing;
  await stale.answer(200, page(['a', 'b']));
  expect(ids(library)).toEqual(['b']);
});

test('a refused deletion is said and changes nothing', async () => {
  const library = await shown('a');
  const removing = library.remove('a');
  const refusal = expect(removing).rejects.toThrow('Not now.');
  await last().answer(409, { error: { code: 'conflict', message: 'Not now.' } });
  await refusal;
  expect(ids(library)).toEqual(['a']);
});

test('keeps what it shows while the server does not answer, and says so', async () => {
  const library = await shown('a');
  const refreshed = library.refresh();
  await last().answer(502, null);
  expect(await refreshed).toBe(false);
  expect(library.problem).toContain('502');
  expect(ids(library)).toEqual(['a']);
  void library.refresh();
  await last().answer(200, page(['a']));
  expect(library.problem).toBe('');
});

test('the next page goes on after the last one, and later refreshes cover both', async () => {
  const library = new Library();
  const many = Array.from({ length: 24 }, (_, i) => `v${i}`);
  void library.refresh();
  await last().answer(200, page(many, 'v23'));
  expect(library.hasMore).toBe(true);
  const more = library.more();
  expect(last().url.searchParams.get('after')).toBe('v23');
  // v23 again: a video was added meanwhile and everything moved down by one.
  await last().answer(200, page(['v23', 'v24']));
  await more;
  expect(ids(library)).toEqual([...many, 'v24']);
  void library.refresh();
  expect(last().url.searchParams.get('limit')).toBe('25');
});

test('a refresh that began while the next page was loaded does not take that away', async () => {
  const library = new Library();
  const many = Array.from({ length: 24 }, (_, i) => `v${i}`);
  void library.refresh();
  await last().answer(200, page(many, 'v23'));
  const more = library.more();
  const next = last();
  void library.refresh();
  const stale = last();
  await next.answer(200, page(['v24']));
  await more;
  await stale.answer(200, page(many, 'v23'));
  expect(ids(library)).toEqual([...many, 'v24']);
  expect(library.hasMore).toBe(false);
});

test('a search asks the server, with the blanks at its ends cut off', async () => {
  vi.useFakeTimers();
  const library = await new Library();
  library.query = ' cat ';
  vi.runAllTimers();
  vi.useRealTimers();
  void library.refresh();
  expect(last().url.searchParams.get('q')).toBe('cat');
});
