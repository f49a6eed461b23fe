import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FAST_MS, RETRY_MS, SLOW_MS, type PollHost } from './poll';
import { endOf, LIVELY_MS, QUIET_MS, Storyboard, type Boarded } from './storyboard.svelte';

const vtt = (...ends: string[]) => `WEBVTT\n${ends.map((end) => `\n00:00:00.000 --> ${end}\na.jpg\n`).join('')}`;

let answers: { status: number; text: string }[];
let timers: { fn: () => void; ms: number }[];
let storyboard: Storyboard;
let video: Boarded;
let clock: number;
let look: () => void;
let fetched: string;

const settle = () => new Promise((done) => setTimeout(done));
const pause = async () => {
  timers.shift()!.fn();
  await settle();
};

beforeEach(() => {
  answers = [];
  timers = [];
  vi.stubGlobal('fetch', async (path: string) => {
    fetched = path;
    const { status, text } = answers.shift()!;
    return { status, text: async () => text };
  });
  const host: PollHost = {
    visible: () => true,
    onVisibility: (changed) => {
      look = changed;
      return () => {};
    },
    later: (fn, ms) => timers[timers.push({ fn, ms }) - 1],
    cancel: (timer) => (timers = timers.filter((t) => t !== timer)),
  };
  clock = 0;
  video = { state: 'ready', duration: 60 };
  storyboard = new Storyboard('/media/k/storyboard.vtt', () => video, host, () => clock);
});
afterEach(() => vi.unstubAllGlobals());

test('the end of a storyboard is that of its last cue', () => {
  expect(endOf('')).toBe(0);
  expect(endOf('WEBVTT\n')).toBe(0);
  expect(endOf(vtt('00:00:05.040', '01:02:03.004'))).toBeCloseTo(3723.004);
});

test('its address changes when its text does, and only then', async () => {
  answers = [vtt('00:00:30.000'), vtt('00:00:30.000'), vtt('00:01:00.000')].map((text) => ({ status: 200, text }));
  expect(storyboard.src).toBe(null);
  storyboard.start();
  await settle();
  expect(fetched).toBe('/media/k/storyboard.vtt');
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=2');
});

const HALF = { status: 200, text: vtt('00:00:30.000') };
const WHOLE = { status: 200, text: vtt('00:01:00.000') };
const delays = () => timers.map((t) => t.ms);

test('it is looked at often until it reaches to the end, and then no more', async () => {
  answers = [HALF, WHOLE];
  storyboard.start();
  await settle();
  expect(delays()).toEqual([FAST_MS]);
  await pause();
  expect(delays()).toEqual([]);
});

test('of a video that failed it is asked for once, and again when that is made again', async () => {
  answers = [HALF];
  video = { state: 'failed', duration: 60 };
  storyboard.start();
  await settle();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  expect(delays()).toEqual([]);
  video = { state: 'stored', duration: 60 };
  storyboard.stop();
  answers = [HALF, WHOLE];
  storyboard.start();
  await settle();
  expect(delays()).toEqual([FAST_MS]);
  video = { state: 'ready', duration: 60 };
  await pause();
  expect(delays()).toEqual([]);
});

test('while a video is made again, a whole one may be that of before', async () => {
  answers = [WHOLE, WHOLE, { status: 200, text: `${WHOLE.text}\n` }];
  video = { state: 'processing', duration: 60 };
  storyboard.start();
  await settle();
  expect(delays()).toEqual([SLOW_MS]);
  video = { state: 'ready', duration: 60 };
  await pause();
  expect(delays()).toEqual([SLOW_MS]);
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=2');
  expect(delays()).toEqual([]);
});

test('one that does not grow any more is left in the end, until the page is looked at', async () => {
  answers = Array(4).fill(HALF);
  storyboard.start();
  await settle();
  clock = LIVELY_MS;
  await pause();
  expect(delays()).toEqual([SLOW_MS]);
  clock = QUIET_MS;
  await pause();
  expect(delays()).toEqual([]);
  look();
  await settle();
  expect(answers).toHaveLength(0);
});

test('one that grows goes on, however long the video is in the making', async () => {
  answers = [HALF, HALF, WHOLE];
  video = { state: 'processing', duration: 60 };
  storyboard.start();
  await settle();
  clock = QUIET_MS;
  await pause();
  expect(delays()).toEqual([SLOW_MS]);
  video = { state: 'ready', duration: 90 };
  await pause();
  expect(delays()).toEqual([FAST_MS]);
});

test('one that cannot be fetched is not asked for without end', async () => {
  answers = [HALF, { status: 404, text: '' }, { status: 404, text: '' }];
  storyboard.start();
  await settle();
  await pause();
  expect(delays()).toEqual([RETRY_MS]);
  clock = QUIET_MS;
  await pause();
  expect(delays()).toEqual([]);
});

test('what is known stays when it cannot be asked for', async () => {
  answers = [{ status: 200, text: vtt('00:00:30.000') }, { status: 404, text: '' }];
  storyboard.start();
  await settle();
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  expect(timers.map((t) => t.ms)).toEqual([RETRY_MS]);
});

test('pictures that are known are at their new address at once', async () => {
  answers = [HALF, HALF];
  storyboard.start();
  storyboard.moveTo('/media/l/storyboard.vtt');
  expect(storyboard.src).toBe(null);
  await settle();
  expect(storyboard.src).toBe('/media/l/storyboard.vtt?n=1');
  await settle();
  expect(fetched).toBe('/media/l/storyboard.vtt');
  answers = [HALF];
  storyboard.moveTo('/media/m/storyboard.vtt');
  storyboard.moveTo('/media/m/storyboard.vtt');
  expect(storyboard.src).toBe('/media/m/storyboard.vtt?n=2');
});
