import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { holdSeeks, SEEK, type Bar } from './hold_seeks';
import { REST_MS } from './scrub';

/** What reached the player. */
let sent: number[];
let bar: EventTarget & { firstElementChild: EventTarget | null };
let page: EventTarget;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  page = new EventTarget();
  // As in a page, what its child sends passes the bar, and goes on from there or does not.
  const range = new EventTarget();
  bar = Object.assign(new EventTarget(), { firstElementChild: range });
  range.addEventListener(SEEK, (event) => speak((event as CustomEvent<number>).detail));
  stop = holdSeeks(bar as unknown as Bar, (seconds) => seconds < 100, page as Window);
});
afterEach(() => vi.useRealTimers());

/** The range speaks of a moment. */
function speak(seconds: number) {
  const event = new CustomEvent(SEEK, { detail: seconds });
  let stopped = false;
  event.stopPropagation = () => (stopped = true);
  bar.dispatchEvent(event);
  if (!stopped) sent.push(seconds);
}

function drag() {
  bar.dispatchEvent(new Event('pointerdown'));
  speak(5);
  speak(200);
}

test('a held seek comes through, once, when the hand rests', () => {
  drag();
  expect(sent).toEqual([5]);
  vi.advanceTimersByTime(REST_MS);
  expect(sent).toEqual([5, 200]);
});

test('a hand that lets go, or is taken off, anywhere on the page means here', () => {
  for (const end of ['pointerup', 'pointercancel']) {
    sent = [];
    drag();
    page.dispatchEvent(new Event(end));
    expect(sent).toEqual([5, 200]);
  }
});

test('a bar that goes during a drag takes the held seek along', () => {
  drag();
  stop();
  expect(vi.getTimerCount()).toBe(0);
  page.dispatchEvent(new Event('pointerup'));
  vi.advanceTimersByTime(1000);
  expect(sent).toEqual([5]);
});

test('a bar that has lost its range during a drag is no error', () => {
  drag();
  bar.firstElementChild = null;
  vi.advanceTimersByTime(REST_MS);
  expect(sent).toEqual([5]);
});

test('once stopped, nothing is held back', () => {
  stop();
  drag();
  expect(sent).toEqual([5, 200]);
});
