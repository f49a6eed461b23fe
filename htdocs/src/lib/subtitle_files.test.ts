import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Subtitle, Video } from './api';
import { fakeVideo } from './fake_video';
import { SubtitleFiles } from './subtitle_files.svelte';

const english: Subtitle = { lang: 'en', label: null, source: 'track', forced: false, url: '/x', error: null };
const calls: [string, string][] = [];
let answer: () => Response;

beforeEach(() => {
  calls.length = 0;
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    calls.push([init.method ?? '', path]);
    return answer();
  });
});
afterEach(() => vi.unstubAllGlobals());

function shown(video: Video) {
  return {
    id: video.id,
    video,
    show(news: Video) {
      this.video = news;
    },
  };
}
const file = () => new File(['x'], 'film.en.srt');

test('a file is sent under a name that is free, and what comes back is shown', async () => {
  const at = shown(fakeVideo({ subtitles: [english] }));
  const news = fakeVideo({ title: 'news' });
  answer = () => new Response(JSON.stringify(news), { status: 201 });
  const files = new SubtitleFiles(at);
  const adding = files.add(file(), 'en');
  expect(files.sending).toBe(true);
  await adding;
  expect(files.sending).toBe(false);
  expect(calls).toEqual([['PUT', `/api/videos/${at.id}/subtitles/en-2`]]);
  expect(at.video.title).toBe('news');
});

test('what the server says of a bad one is said, until it is given up or the next comes', async () => {
  const at = shown(fakeVideo());
  answer = () => new Response('{"error":{"code":"x","message":"This is none."}}', { status: 415 });
  const files = new SubtitleFiles(at);
  await files.add(file(), 'de');
  expect(files.problem).toBe('This is none.');
  expect(files.sending).toBe(false);
  files.dismiss();
  expect(files.problem).toBe('');
  await files.add(file(), 'de');
  expect(files.problem).toBe('This is none.');
  answer = () => new Response(JSON.stringify(at.video), { status: 201 });
  await files.add(file(), 'de');
  expect(files.problem).toBe('');
});

test('one that is taken away is gone at once; a refusal is passed on', async () => {
  const at = shown(fakeVideo({ subtitles: [english] }));
  const files = new SubtitleFiles(at);
  answer = () => new Response('', { status: 409 });
  await expect(files.remove('en')).rejects.toThrow('refused');
  expect(at.video.subtitles).toHaveLength(1);
  answer = () => new Response(null, { status: 204 });
  await files.remove('en');
  expect(at.video.subtitles).toEqual([]);
});
