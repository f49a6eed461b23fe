import { expect, test } from 'vitest';

import type { RenditionSegments, SegmentState } from './api';
import { gaps, isComplete, isReady, needed, readyShare, timeline } from './readiness';

/** One letter a segment: r(eady), e(ncoding), m(issing). */
function rendition(letters: string, over: Partial<RenditionSegments> = {}): RenditionSegments {
  const names: Record<string, SegmentState> = { r: 'ready', e: 'encoding', m: 'missing' };
  const runs: RenditionSegments['runs'] = [];
  [...letters].forEach((letter, from) => {
    const last = runs.at(-1);
    if (last && last.state === names[letter]) last.count += 1;
    else runs.push({ state: names[letter]!, from, count: 1 });
  });
  const done = [...letters].filter((letter) => letter === 'r').length;
  const segments = letters.length;
  const base = { name: '360p', kind: 'video' as const, generation: 1, segment_duration: 2 };
  return { ...base, segments, done, runs, ...over };
}
const audio = (letters: string) =>
  rendition(letters, { name: 'audio-0', kind: 'audio', segment_duration: 4 });

/** "ready 0-4, missing 4-7" */
const text = (renditions: RenditionSegments[], duration: number | null) =>
  timeline(renditions, duration)
    .map((s) => `${s.state} ${s.from}-${s.to}`)
    .join(', ');

test('without sound the picture decides alone', () => {
  expect(text([rendition('rrem')], 8)).toBe('ready 0-4, encoding 4-6, missing 6-8');
});

test('a moment is ready when its picture and its sound are', () => {
  expect(text([rendition('rrrrmm'), audio('rmr')], 12)).toBe('ready 0-4, missing 4-12');
  expect(text([rendition('mrrrrr'), audio('rrr')], 12)).toBe('missing 0-2, ready 2-12');
});

test('what is not ready is being made as soon as one of the two is', () => {
  expect(text([rendition('rrmm'), audio('re')], 8)).toBe('ready 0-4, encoding 4-8');
  expect(text([rendition('rrem'), audio('rr')], 8)).toBe(
    'ready 0-4, encoding 4-6, missing 6-8',
  );
});

test('the last segment ends where the video does', () => {
  expect(text([rendition('rrm'), audio('rr')], 4.5)).toBe('ready 0-4, missing 4-4.5');
  expect(text([rendition('rm')], 4.25)).toBe('ready 0-2, missing 2-4.25');
});

test('segments that lie beyond the end of the video are not there', () => {
  expect(text([rendition('rrm')], 4)).toBe('ready 0-4');
});

test('a video of unknown length is as long as its segments', () => {
  expect(text([rendition('rm'), audio('r')], null)).toBe('ready 0-2, missing 2-4');
});

test('of several pictures and sounds the first ones count', () => {
  const list = [rendition('rr'), rendition('mm', { name: '720p' }), audio('r'), audio('m')];
  expect(needed(list).map((r) => r.name)).toEqual(['360p', 'audio-0']);
  expect(text(list, 4)).toBe('ready 0-4');
  expect(isComplete(list)).toBe(true);
});

test('while nothing is planned there is no timeline, and nothing is complete', () => {
  for (const list of [[], [rendition('')]]) {
    expect(timeline(list, 10)).toEqual([]);
    expect(isComplete(list)).toBe(false);
  }
  expect(readyShare([])).toBe(0);
  expect(isReady([], 0)).toBe(false);
});

test('complete means that picture and sound are', () => {
  expect(isComplete([rendition('rr'), audio('e')])).toBe(false);
  expect(isComplete([rendition('rr'), audio('r')])).toBe(true);
});

test('a stretch owns its beginning; the end of the video belongs to the last one', () => {
  const stretches = timeline([rendition('rmr')], 6);
  const at = (...moments: number[]) => moments.map((t) => isReady(stretches, t));
  expect(at(0, 1.99, 2, 3.99, 4, 6, 6.1)).toEqual([true, true, false, false, true, true, true]);
});

test('gaps are what is not ready, whatever happens there', () => {
  expect(gaps(timeline([rendition('remrm')], 10))).toEqual([
    { from: 2, to: 6 },
    { from: 8, to: 10 },
  ]);
  expect(gaps(timeline([rendition('rr')], 4))).toEqual([]);
});

test('the share is one of time, not of segments', () => {
  expect(readyShare(timeline([rendition('rrrrm')], 8.5))).toBeCloseTo(8 / 8.5);
  expect(readyShare(timeline([rendition('rr')], 4))).toBe(1);
});
