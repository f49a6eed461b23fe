import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakeVideo } from './fake_video';
import { Shared } from './shared.svelte';
import { Watched } from './watched.svelte';

const MEDIA = `/media/${'m'.repeat(26)}/master.m3u8`;
const error = (code: string) => ({ error: { code, message: `It is ${code}.` } });
/** What the server says next to each method. */
let answers: Record<string, [number, unknown]>;
let asked: { method: string; path: string; proof: string | undefined; body: unknown }[];
let shared: Shared;

beforeEach(() => {
  vi.stubGlobal('document', { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} });
  asked = [];
  vi.stubGlobal('fetch', async (path: string, { method = '', headers = {}, body }: RequestInit) => {
    const proof = (headers as Record<string, string>)['Share-Password-Proof'];
    asked.push({ method, path, proof, body: body && JSON.parse(String(body)) });
    const [status, answer] = answers[method]!;
    return { status, text: async () => JSON.stringify(answer) };
  });
  shared = new Shared('tttt');
});
afterEach(() => {
  shared.stop();
  vi.unstubAllGlobals();
});

const settle = () => new Promise((done) => setTimeout(done));
const video = (over = {}) => ({ ...fakeVideo(), media: MEDIA, download: null, embed: false, expires_at: null, ...over });

test('a link leads to its video', async () => {
  answers = { GET: [200, video()] };
  shared.start();
  await settle();
  expect([shared.video?.title, shared.locked, shared.missing]).toEqual(['A walk', false, false]);
  expect(asked).toMatchObject([{ method: 'GET', path: '/api/shares/tttt', proof: undefined }]);
});

test('a password is asked for, and shown to have been right from then on', async () => {
  answers = { GET: [401, error('password')], POST: [401, error('bad_password')] };
  shared.start();
  await settle();
  expect([shared.locked, shared.video, shared.problem]).toEqual([true, null, '']);
  await expect(shared.open('wrong')).rejects.toThrow('It is bad_password.');
  expect(shared.locked).toBe(true);

  answers = { GET: [200, video()], POST: [200, video({ proof: 'pppp' })] };
  await shared.open('right');
  await settle();
  expect([shared.locked, shared.video?.title]).toEqual([false, 'A walk']);
  expect(asked.at(-2)).toMatchObject({ method: 'POST', body: { password: 'right' } });
  expect(asked.at(-1)).toMatchObject({ method: 'GET', proof: 'pppp' });
});

test('where one was stays, until it is made again', async () => {
  answers = { GET: [200, video({ state: 'failed' })] };
  await shared.refresh();
  shared.at = 12;
  await shared.refresh();
  expect([shared.make, shared.at]).toEqual([0, 12]);
  answers = { GET: [200, video({ state: 'queued' })] };
  await shared.refresh();
  expect([shared.make, shared.at]).toEqual([1, 0]);
});

test('who watches is not asked for the password again before there is need to', async () => {
  answers = { GET: [200, video()] };
  await shared.refresh();
  answers = { GET: [401, error('password')] };
  await shared.refresh();
  expect([shared.locked, shared.problem, shared.video?.title]).toEqual([false, '', 'A walk']);
  await expect(shared.whereIs()).rejects.toThrow();
  expect(shared.locked).toBe(true);
});

test('new keys are found, and what has ended is known', async () => {
  answers = { GET: [200, video()] };
  await shared.refresh();
  const other = `/media/${'n'.repeat(26)}/master.m3u8`;
  answers = { GET: [200, video({ media: other })] };
  expect(await shared.whereIs()).toBe(other);
  answers = { GET: [503, ''] };
  await expect(shared.whereIs()).rejects.toThrow();
  answers = { GET: [404, error('not_found')] };
  expect(await shared.whereIs()).toBe(null);
  expect([shared.missing, shared.video?.title]).toEqual([true, 'A walk']);
});

test('a poster under another key is no other poster', async () => {
  const watched = new Watched('vvvv');
  const at = (letter: string, n: number) => `/media/${letter.repeat(26)}/poster.jpg?v=${n}`;
  answers = { GET: [200, fakeVideo({ poster: at('m', 1) })], PUT: [200, fakeVideo({ poster: at('m', 1) })] };
  watched.start();
  await settle();
  let made = false;
  const taking = watched.takePoster(3).then(() => (made = true));
  answers.GET = [200, fakeVideo({ poster: at('n', 1) })];
  await settle();
  await watched.refresh();
  expect(made).toBe(false);
  answers.GET = [200, fakeVideo({ poster: at('n', 2) })];
  await watched.refresh();
  await taking;
  expect(made).toBe(true);
  watched.stop();
});
