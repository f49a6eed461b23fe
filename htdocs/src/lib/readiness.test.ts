import { expect, test } from 'vitest';

import type { RenditionSegments, SegmentState } from './api';
import {
  coming,
  gaps,
  isComing,
  isComplete,
  isReady,
  marks,
  MARKS_MAX,
  needed,
  readyShare,
  timeline,
  type Part,
} from './readiness';

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
const text = (renditions: RenditionSegments[], duration: number | null, arrived?: number | null) =>
  timeline(renditions, duration, arrived)
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

test('what has not arrived is coming, from the first segment that is not here as a whole', () => {
  expect(text([rendition('rremmm')], 12, 7)).toBe('ready 0-4, encoding 4-6, coming 6-12');
  expect(text([rendition('rrmmmm')], 12, 8)).toBe('ready 0-4, missing 4-8, coming 8-12');
  expect(text([rendition('mmm')], 6, 0)).toBe('coming 0-6');
});

test('an encoder at work beyond what has arrived waits for it too', () => {
  expect(text([rendition('rrem')], 8, 5)).toBe('ready 0-4, coming 4-8');
});

test('what is ready is ready, wherever the upload is', () => {
  expect(text([rendition('rmrm')], 8, 2)).toBe('ready 0-2, coming 2-4, ready 4-6, coming 6-8');
});

test('a moment is coming as long as its picture or its sound is', () => {
  expect(text([rendition('rrrmmm'), audio('rmm')], 12, 7)).toBe('ready 0-4, coming 4-12');
  expect(text([rendition('rrrrrr'), audio('rmm')], 12, 9)).toBe(
    'ready 0-4, missing 4-8, coming 8-12',
  );
});

test('once all has arrived, also a last short segment, nothing is coming', () => {
  for (const arrived of [4.5, 5, null]) {
    expect(text([rendition('rmm')], 4.5, arrived)).toBe('ready 0-2, missing 2-4.5');
  }
});

test('coming is no gap, and not ready either', () => {
  const stretches = timeline([rendition('rmemm')], 10, 6.5);
  expect(gaps(stretches)).toEqual([{ from: 2, to: 6 }]);
  expect(coming(stretches)).toEqual([{ from: 6, to: 10 }]);
  expect([5.9, 6, 10].map((t) => isComing(stretches, t))).toEqual([false, true, true]);
  expect(isReady(stretches, 7)).toBe(false);
  expect(readyShare(stretches)).toBeCloseTo(0.2);
});

test('segments that lie beyond the end of the video are not there', () => {
  expect(text([rendition('rrm')], 4)).toBe('ready 0-4');
});

test('a video of unknown length is as long as its segments', () => {
  expect(text([rendition('rm'), audio('r')], null)).toBe('ready 0-2, missing 2-4');
});

test('where nobody knows its end, the sound that is behind is still to come', () => {
  expect(text([rendition('rrrr'), audio('r')], null)).toBe('ready 0-4, coming 4-8');
  expect(text([rendition('rr'), audio('rr')], null)).toBe('ready 0-4, coming 4-8');
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

test('neighbours of one state are one stretch, also where the answer has them apart', () => {
  const runs: RenditionSegments['runs'] = [
    { state: 'ready', from: 0, count: 1 },
    { state: 'ready', from: 1, count: 2 },
    { state: 'missing', from: 3, count: 1 },
  ];
  expect(text([rendition('rrrm', { runs }), audio('rr')], 8)).toBe('ready 0-6, missing 6-8');
});

test('a rendition of which nothing is said is missing', () => {
  expect(text([rendition('rrrr'), audio('rr')], 8)).toBe('ready 0-8');
  expect(text([rendition('rrrr'), { ...audio('rr'), runs: [] }], 8)).toBe('missing 0-8');
});

// Looking each edge up from the beginning would be 10^11 steps here, and not end in time.
test('a video of very many runs has its timeline, in one walk', () => {
  const COUNT = 300_000;
  const all = [rendition('rm'.repeat(COUNT / 2)), audio('r'.repeat(COUNT / 2))];
  const stretches = timeline(all, null);
  expect(stretches).toHaveLength(COUNT);
  expect(stretches[0]).toEqual({ from: 0, to: 2, state: 'ready' });
  expect(stretches.at(-1)).toEqual({ from: 2 * COUNT - 2, to: 2 * COUNT, state: 'missing' });
  expect(readyShare(stretches)).toBeCloseTo(0.5);
});

/** Parts of 2 s, so many seconds from one beginning to the next. */
const every = (seconds: number, count: number): Part[] =>
  Array.from({ length: count }, (_, i) => ({ from: i * seconds, to: i * seconds + 2 }));

const within = (mark: Part, part: Part) => mark.from <= part.from && part.to <= mark.to;

test('marks are what they stand for while there is room', () => {
  const parts = every(4, MARKS_MAX);
  expect(marks(parts, 100_000)).toEqual(parts);
});

test('marks are never more than a seek bar holds, and none of what is missing is hidden', () => {
  for (const [seconds, count] of [[4, 20_000], [300, 20_000], [4, MARKS_MAX + 1]] as const) {
    const parts = every(seconds, count);
    const drawn = marks(parts, parts.at(-1)!.to);
    expect(drawn.length).toBeLessThanOrEqual(MARKS_MAX);
    let i = 0;
    for (const part of parts) {
      while (!within(drawn[i]!, part)) expect(++i).toBeLessThan(drawn.length);
    }
  }
});

test('of many marks only the narrow spaces go; a wide one stays where it is', () => {
  const many = every(4, 2 * MARKS_MAX);
  const later = many.map(({ from, to }) => ({ from: from + 10_000, to: to + 10_000 }));
  expect(marks([...many, ...later], 14_000)).toEqual([
    { from: 0, to: many.at(-1)!.to },
    { from: 10_000, to: later.at(-1)!.to },
  ]);
});
