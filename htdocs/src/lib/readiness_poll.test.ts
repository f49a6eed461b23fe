import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { getSegments } from './api';
import { FAST_MS, RETRY_MS, type PollHost } from './poll';
import { Readiness } from './readiness.svelte';

const answer = (done: number) => {
  const runs = [
    { state: 'ready', from: 0, count: done },
    { state: 'missing', from: done, count: 4 - done },
  ].filter((run) => run.count > 0);
  const base = { name: '360p', kind: 'video', generation: 1, segment_duration: 2 };
  return { renditions: [{ ...base, segments: 4, done, runs }] };
};

let asked: ((status: number, body: unknown) => Promise<void>)[];
let timers: { fn: () => void; ms: number }[];
let changing: boolean;
let open: boolean;
let readiness: Readiness;

beforeEach(() => {
  asked = [];
  timers = [];
  changing = true;
  open = false;
  vi.stubGlobal('fetch', (path: string) => {
    expect(path).toBe('/api/videos/v1/segments');
    return new Promise((resolve) => {
      asked.push(async (status, body) => {
        resolve({ status, text: async () => JSON.stringify(body) });
        await new Promise((done) => setTimeout(done));
      });
    });
  });
  const host: PollHost = {
    visible: () => true,
    onVisibility: () => () => {},
    later: (fn, ms) => timers[timers.push({ fn, ms }) - 1],
    cancel: (timer) => (timers = timers.filter((t) => t !== timer)),
  };
  readiness = new Readiness(() => getSegments('v1'), () => changing, () => open, host);
  readiness.start();
});
afterEach(() => vi.unstubAllGlobals());

const states = () => readiness.stretches(8)?.map((s) => s.state);
const delays = () => timers.map((t) => t.ms);
/** The timer goes off. */
const pause = () => timers.shift()!.fn();

test('nothing is known before the first answer', async () => {
  expect(readiness.stretches(8)).toBe(null);
  await asked.shift()!(200, answer(1));
  expect(states()).toEqual(['ready', 'missing']);
  expect(delays()).toEqual([FAST_MS]);
});

test('how much has arrived is known until all of it has', async () => {
  await asked.shift()!(200, { ...answer(1), arrived: 5 });
  expect(readiness.arrived).toBe(5);
  expect(states()).toEqual(['ready', 'missing', 'coming']);
  pause();
  await asked.shift()!(200, { ...answer(1), arrived: null });
  expect(readiness.arrived).toBe(null);
  expect(states()).toEqual(['ready', 'missing']);
});

test('a viewer who seeks has it asked at once', async () => {
  await asked.shift()!(200, answer(1));
  readiness.kick();
  expect(asked).toHaveLength(1);
});

test('once all is ready, nobody asks again', async () => {
  await asked.shift()!(200, answer(4));
  expect(states()).toEqual(['ready']);
  expect(delays()).toEqual([]);
  readiness.kick();
  expect(asked).toEqual([]);
});

test('a failure takes nothing away and is tried again', async () => {
  await asked.shift()!(200, answer(1));
  pause();
  await asked.shift()!(502, null);
  expect(states()).toEqual(['ready', 'missing']);
  expect(delays()).toEqual([RETRY_MS]);
});

test('where nothing is made any more, it is asked again only for a viewer who waits', async () => {
  changing = false;
  await asked.shift()!(502, null);
  expect(delays()).toEqual([RETRY_MS]);
  pause();
  await asked.shift()!(200, answer(1));
  expect(delays()).toEqual([]);
  readiness.kick();
  expect(asked).toHaveLength(1);
});

test('what was known of an earlier make is forgotten, also if it comes late', async () => {
  const late = asked.shift()!;
  readiness.stop();
  readiness.start();
  await late(200, answer(4));
  expect(readiness.stretches(8)).toBe(null);
  await asked.shift()!(200, answer(1));
  expect(states()).toEqual(['ready', 'missing']);
});

test('it goes on where nobody knows how long the video is', async () => {
  open = true;
  await asked.shift()!(200, answer(4));
  expect(delays()).toEqual([FAST_MS]);
  pause();
  open = false;
  await asked.shift()!(200, answer(4));
  expect(delays()).toEqual([]);
});
