import { beforeEach, expect, test } from 'vitest';

import { PACE_MS, REST_MS, Scrub } from './scrub';

/** What is ready: all before this. */
const FRONTIER = 100;

let sent: number[];
let timers: { fn: () => void; at: number }[];
let now: number;
let scrub: Scrub;

beforeEach(() => {
  sent = [];
  timers = [];
  now = 0;
  const host = {
    later: (fn: () => void, ms: number) => timers[timers.push({ fn, at: now + ms }) - 1],
    cancel: (timer: unknown) => (timers = timers.filter((t) => t !== timer)),
  };
  scrub = new Scrub((s) => sent.push(s), (s) => s < FRONTIER, host);
});

function wait(ms: number) {
  now += ms;
  const due = timers.filter((t) => t.at <= now);
  timers = timers.filter((t) => t.at > now);
  for (const { fn } of due) fn();
}

/** The hand moves a pixel every 10 ms. */
function drag(from: number, pixels: number) {
  for (let i = 0; i < pixels; i++) {
    scrub.seek(from + i / 100);
    wait(10);
  }
}

test('a click is done at once, wherever it is', () => {
  for (const at of [5, 500]) {
    scrub.press();
    scrub.seek(at);
    expect(sent).toEqual([at]);
    scrub.release();
    wait(1000);
    expect(sent).toEqual([at]);
    sent = [];
  }
});

test('keys are all done at once', () => {
  for (let i = 0; i < 10; i++) scrub.seek(i);
  expect(sent).toHaveLength(10);
});

test('over what is ready the picture follows at an even pace, to where the hand is', () => {
  scrub.press();
  drag(0, 100);
  expect(sent.length).toBeGreaterThan(5);
  expect(sent.length).toBeLessThanOrEqual(1 + 1000 / PACE_MS);
  wait(PACE_MS);
  expect(sent.at(-1)).toBe(0.99);
});

test('over what is not ready nothing is asked for until the hand rests', () => {
  scrub.press();
  scrub.seek(5);
  drag(200, 300);
  expect(sent).toEqual([5]);
  wait(REST_MS);
  expect(sent).toEqual([5, 202.99]);
});

test('letting go means here, at once, and once only', () => {
  scrub.press();
  scrub.seek(5);
  drag(200, 10);
  scrub.release();
  expect(sent).toEqual([5, 200.09]);
  wait(1000);
  expect(sent).toEqual([5, 200.09]);
});

test('a hand that goes on from what is ready does not ask for what it passes', () => {
  scrub.press();
  scrub.seek(5);
  scrub.seek(6);
  scrub.seek(200);
  wait(PACE_MS);
  expect(sent).toEqual([5]);
  scrub.seek(7);
  wait(PACE_MS);
  expect(sent).toEqual([5, 7]);
});

test('once stopped, what was held back is never done', () => {
  for (const held of [7, 200]) {
    scrub.press();
    scrub.seek(5);
    scrub.seek(held);
    scrub.stop();
    scrub.release();
    wait(1000);
    expect(timers).toEqual([]);
    expect(sent).toEqual([5]);
    sent = [];
  }
});
