import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { Stretch } from '../lib/readiness';
import { LATE_MS, Patience, SOON_MS, type Media } from './patience.svelte';

const PREPARED = 'This part is being prepared.';
const STRETCHES: Stretch[] = [
  { from: 0, to: 100, state: 'ready' },
  { from: 100, to: 110, state: 'encoding' },
  { from: 110, to: 200, state: 'missing' },
];

/** A media element that says what the test wants. */
class FakeMedia extends EventTarget {
  currentTime = 0;
  paused = false;
  ended = false;
  seeking = false;
  readyState = 4;
  ranges: [number, number][] = [[0, 30]];

  get buffered() {
    const { ranges } = this;
    return { length: ranges.length, start: (i: number) => ranges[i]![0], end: (i: number) => ranges[i]![1] };
  }
  be(type: string, over: Partial<FakeMedia> = {}) {
    Object.assign(this, over);
    this.dispatchEvent(new Event(type));
  }
  seek(currentTime: number) {
    this.be('seeking', { seeking: true, readyState: 1, currentTime });
  }
  arrive() {
    this.ranges.push([this.currentTime - 1, this.currentTime + 1]);
    this.be('seeked', { seeking: false, readyState: 4 });
  }
}

let media: FakeMedia;
let waits: number;
let patience: Patience;
let unfollow: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  waits = 0;
  media = new FakeMedia();
  patience = new Patience(() => (waits += 1));
  unfollow = patience.follow(media as unknown as Media);
});
afterEach(() => vi.useRealTimers());

const says = (stretches: Stretch[] | null = STRETCHES, whole = false) =>
  patience.message(stretches, whole);

test('a seek into what is not made yet is said soon, until the picture is there', () => {
  media.seek(150);
  expect(waits).toBe(1);
  expect(says()).toBe('');
  vi.advanceTimersByTime(SOON_MS);
  expect(says()).toBe(PREPARED);
  media.arrive();
  expect(says()).toBe('');
});

test('it is said in a pause too', () => {
  media.paused = true;
  media.seek(105);
  vi.advanceTimersByTime(SOON_MS);
  expect(says()).toBe(PREPARED);
  media.arrive();
  expect(says()).toBe('');
});

test('waiting for what is ready is the business of the network', () => {
  media.seek(50);
  vi.advanceTimersByTime(10 * LATE_MS);
  expect(says()).toBe('');
});

test('it is said no more once an answer says that the part is ready', () => {
  media.seek(150);
  vi.advanceTimersByTime(SOON_MS);
  expect(says()).toBe(PREPARED);
  expect(says([{ from: 0, to: 200, state: 'ready' }])).toBe('');
});

test('playback that reaches the end of what is made waits for what comes next', () => {
  media.be('waiting', { currentTime: 99.97, ranges: [[0, 100]], readyState: 2 });
  vi.advanceTimersByTime(SOON_MS);
  expect(says()).toBe(PREPARED);
  media.be('playing', { readyState: 4, ranges: [[0, 110]] });
  expect(says()).toBe('');
});

test('a second seek during a wait does not take the words away', () => {
  media.seek(150);
  vi.advanceTimersByTime(SOON_MS);
  media.seek(160);
  expect(says()).toBe(PREPARED);
  expect(waits).toBe(2);
  media.seek(50);
  expect(says()).toBe('');
});

test('a paused player that nobody moved waits for nothing', () => {
  media.be('pause', { paused: true, readyState: 1 });
  vi.advanceTimersByTime(10 * LATE_MS);
  expect(says()).toBe('');
  expect(waits).toBe(0);
});

test('where nobody knows what is ready, only a long wait is put down to the encoder', () => {
  media.seek(150);
  vi.advanceTimersByTime(SOON_MS);
  expect(says(null)).toBe('');
  vi.advanceTimersByTime(LATE_MS);
  expect(says(null)).toBe(PREPARED);
  expect(says(null, true)).toBe('');
});

test('what will never be made is said to be so', () => {
  media.seek(150);
  vi.advanceTimersByTime(SOON_MS);
  expect(says(STRETCHES, true)).toBe('This part could not be prepared.');
});

const COMING: Stretch[] = [
  { from: 0, to: 100, state: 'ready' },
  { from: 100, to: 200, state: 'coming' },
];

test('what has not arrived is not said to be in the making', () => {
  const arriving = (share: number | null, stretches = COMING) =>
    patience.message(stretches, false, { share, stopped: false });
  media.seek(150);
  expect(arriving(0.349)).toBe('');
  vi.advanceTimersByTime(SOON_MS);
  expect(arriving(0.349)).toBe('This part is still uploading – 34 % of the video has arrived.');
  expect(arriving(null)).toBe('This part is still uploading.');
  expect(patience.message(COMING, false, { share: 0.5, stopped: true })).toBe(
    'The upload has stopped – 50 % of the video has arrived.',
  );
  expect(arriving(0.9, STRETCHES)).toBe(PREPARED);
  media.seek(50);
  vi.advanceTimersByTime(LATE_MS);
  expect(arriving(0.9)).toBe('');
});

test('where nobody knows the length, playback at its end waits for the upload', () => {
  const known: Stretch[] = [{ from: 0, to: 100, state: 'ready' }];
  media.be('waiting', { currentTime: 99.97, ranges: [[0, 100]], readyState: 2 });
  vi.advanceTimersByTime(SOON_MS);
  expect(patience.message(known, false, { share: 0.5, stopped: false })).toBe(
    'This part is still uploading – 50 % of the video has arrived.',
  );
  expect(patience.message(known, false, null)).toBe('');
});

test('a player that is gone leaves nothing behind', () => {
  media.seek(150);
  unfollow();
  vi.advanceTimersByTime(LATE_MS);
  expect(says()).toBe('');
  media.seek(160);
  expect(waits).toBe(1);
});
