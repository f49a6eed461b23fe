import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { FAST_MS, RETRY_MS, SLOW_MS, type PollHost } from './poll';
import { endOf, Storyboard } from './storyboard.svelte';

const vtt = (...ends: string[]) => `WEBVTT\n${ends.map((end) => `\n00:00:00.000 --> ${end}\na.jpg\n`).join('')}`;

let answers: { status: number; text: string }[];
let timers: { fn: () => void; ms: number }[];
let storyboard: Storyboard;

const settle = () => new Promise((done) => setTimeout(done));
const pause = async () => {
  timers.shift()!.fn();
  await settle();
};

beforeEach(() => {
  answers = [];
  timers = [];
  vi.stubGlobal('fetch', async (path: string) => {
    expect(path).toBe('/media/k/storyboard.vtt');
    const { status, text } = answers.shift()!;
    return { status, text: async () => text };
  });
  const host: PollHost = {
    visible: () => true,
    onVisibility: () => () => {},
    later: (fn, ms) => timers[timers.push({ fn, ms }) - 1],
    cancel: (timer) => (timers = timers.filter((t) => t !== timer)),
  };
  storyboard = new Storyboard('/media/k/storyboard.vtt', () => 60, host);
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
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=2');
});

test('it is looked at often until it reaches to the end, and then seldom', async () => {
  answers = [vtt('00:00:30.000'), vtt('00:01:00.000')].map((text) => ({ status: 200, text }));
  storyboard.start();
  await settle();
  expect(timers.map((t) => t.ms)).toEqual([FAST_MS]);
  await pause();
  expect(timers.map((t) => t.ms)).toEqual([SLOW_MS]);
});

test('what is known stays when it cannot be asked for', async () => {
  answers = [{ status: 200, text: vtt('00:00:30.000') }, { status: 404, text: '' }];
  storyboard.start();
  await settle();
  await pause();
  expect(storyboard.src).toBe('/media/k/storyboard.vtt?n=1');
  expect(timers.map((t) => t.ms)).toEqual([RETRY_MS]);
});
