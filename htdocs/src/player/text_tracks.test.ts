import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { keepTracks } from './text_tracks';

/** As much of a <track> as is needed here. */
class FakeTrack {
  label = '';
  srclang = '';
  kind = '';
  src = '';
  track = { mode: 'disabled' };
  readyState = 0;
  getAttribute = (name: string) => (name === 'src' ? this.src : null);
  remove = () => {
    inside = inside.filter((track) => track !== this);
  };
}

let inside: FakeTrack[];
const video = {
  querySelectorAll: () => [...inside],
  append: (track: FakeTrack) => inside.push(track),
} as unknown as HTMLVideoElement;

beforeEach(() => {
  inside = [];
  vi.stubGlobal('document', { createElement: () => new FakeTrack() });
});
afterEach(() => vi.unstubAllGlobals());

const EN = { url: '/en.vtt', lang: 'en', name: 'English' };
const DE = { url: '/de.vtt', lang: 'de', name: 'German' };
const names = () => inside.map(({ label }) => label);

function foreign(src: string) {
  const track = Object.assign(new FakeTrack(), { label: 'thumbnails', kind: 'metadata', src });
  inside.push(track);
  return track;
}

test('tracks come and go, and those that stay are the same ones', () => {
  keepTracks(video, [EN]);
  const [english] = inside;
  expect(english).toMatchObject({ kind: 'subtitles', srclang: 'en', label: 'English', src: '/en.vtt' });
  english!.track.mode = 'showing';
  keepTracks(video, [EN, DE]);
  expect(names()).toEqual(['English', 'German']);
  expect(inside[0]).toBe(english);
  expect(english!.track.mode).toBe('showing');
  keepTracks(video, [DE]);
  expect(names()).toEqual(['German']);
  keepTracks(video, []);
  expect(names()).toEqual([]);
});

test('a track that someone else put there stays', () => {
  const pictures = foreign('/storyboard.vtt');
  for (const wanted of [[], [EN], [EN], []]) {
    keepTracks(video, wanted);
    expect(inside).toContain(pictures);
    expect(inside.length).toBe(1 + wanted.length);
  }
});

test('a track that someone else put there is not taken for a wanted one', () => {
  const pictures = foreign(EN.url);
  keepTracks(video, [EN]);
  expect(names()).toEqual(['thumbnails', 'English']);
  keepTracks(video, []);
  expect(inside).toEqual([pictures]);
});

test('another text takes the place of the one before, and is shown if that was', () => {
  keepTracks(video, [{ ...EN, url: '/en.vtt?v=1' }, DE]);
  inside[0]!.track.mode = 'showing';
  keepTracks(video, [{ ...EN, url: '/en.vtt?v=2' }, DE]);
  expect(inside.map(({ src, track }) => [src, track.mode])).toEqual([
    ['/de.vtt', 'disabled'],
    ['/en.vtt?v=2', 'showing'],
  ]);
});

test('the same text under another key is the same track', () => {
  const under = (key: string, version = 1) => ({ ...EN, url: `/media/${key}/subs/en.vtt?v=${version}` });
  keepTracks(video, [under('aaaa')]);
  const [english] = inside;
  english!.track.mode = 'showing';
  keepTracks(video, [under('bbbb')]);
  expect(inside).toEqual([english]);
  expect(english!.src).toBe('/media/bbbb/subs/en.vtt?v=1');
  // What it has it need not fetch again.
  english!.readyState = 2;
  keepTracks(video, [under('cccc')]);
  expect(inside).toEqual([english]);
  expect(english!.src).toBe('/media/bbbb/subs/en.vtt?v=1');
  expect(english!.track.mode).toBe('showing');
  keepTracks(video, [under('dddd', 2)]);
  expect(inside).toHaveLength(1);
  expect(inside[0]).not.toBe(english);
  expect(inside[0]!.src).toBe('/media/dddd/subs/en.vtt?v=2');
  expect(inside[0]!.track.mode).toBe('showing');
});
