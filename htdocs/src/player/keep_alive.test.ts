import type Hls from 'hls.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { keepAlive } from './keep_alive';
import { RESTART_MS } from './nurse';

const EVENTS = Object.fromEntries(
  ['MEDIA_ATTACHED', 'MEDIA_DETACHING', 'ERROR', 'DESTROYING'].map((name) => [name, name]),
) as unknown as typeof Hls.Events;

/** As much of a media element as is asked about; buffered from 0 to 10 s. */
class FakeMedia extends EventTarget {
  readonly HAVE_FUTURE_DATA = 3;
  readyState = 1;
  paused = true;
  currentTime = 0;
  error: { code: number; message: string } | null = null;
  buffered = { length: 1, start: () => 0, end: () => 10 };

  seek(seconds: number) {
    this.currentTime = seconds;
    this.dispatchEvent(new Event('seeking'));
  }
}

/** Notes what it is told to do. */
class FakeHls {
  calls: string[] = [];
  media = new FakeMedia();
  url = '/master.m3u8';
  levels = [{}];
  config = { startPosition: -1 };
  #listeners = new Map<string, (name: string, data: unknown) => void>();

  on(name: string, listener: (name: string, data: unknown) => void) {
    this.#listeners.set(name, listener);
  }
  emit(name: string, data: unknown = {}) {
    this.#listeners.get(name)!(name, data);
  }
  trigger(name: string, data: unknown) {
    this.emit(name, data);
  }
  recoverMediaError() {
    this.calls.push('recover');
  }
  stopLoad() {
    this.calls.push('stop');
  }
  startLoad(position?: number) {
    this.calls.push(`start ${position ?? ''}`.trim());
  }
  loadSource() {
    this.calls.push('load');
  }
  /** calls since this was last asked for. */
  taken(): string[] {
    return this.calls.splice(0);
  }
}

let hls: FakeHls;
beforeEach(() => {
  vi.useFakeTimers();
  hls = new FakeHls();
  keepAlive(hls as unknown as Hls, EVENTS, () => hls.calls.push('give up'));
  hls.emit('MEDIA_ATTACHED', { media: hls.media });
});
afterEach(() => vi.useRealTimers());

function fail(code: number) {
  hls.emit('ERROR', { type: 'networkError', fatal: true, response: { code } });
}

test('after a fatal error of the network loading goes on, a moment later', () => {
  fail(500);
  expect(hls.taken()).toEqual([]);
  vi.advanceTimersByTime(RESTART_MS);
  expect(hls.taken()).toEqual(['start']);
});

test('a seek out of the buffer is loaded at once, one within it is left to hls.js', () => {
  hls.media.seek(5);
  expect(hls.taken()).toEqual([]);
  hls.media.seek(50);
  expect(hls.taken()).toEqual(['stop', 'start 50']);
});

test('what a seek has asked for is not asked for again by an earlier restart', () => {
  fail(500);
  hls.media.seek(50);
  expect(hls.taken()).toEqual(['stop', 'start 50']);
  vi.advanceTimersByTime(10 * RESTART_MS);
  expect(hls.taken()).toEqual([]);
});

test('a seek within the buffer leaves a restart to come', () => {
  fail(500);
  hls.media.seek(5);
  vi.advanceTimersByTime(RESTART_MS);
  expect(hls.taken()).toEqual(['start']);
});

test('a seek does not stop a reload, and is where it begins', () => {
  fail(404);
  expect(hls.taken()).toEqual(['stop']);
  hls.media.seek(50);
  expect(hls.taken()).toEqual([]);
  vi.advanceTimersByTime(RESTART_MS);
  expect(hls.taken()).toEqual(['load', 'start 50']);
});

test('a reload waits until what is buffered has been watched', () => {
  hls.media.readyState = 4;
  fail(404);
  vi.advanceTimersByTime(3 * RESTART_MS);
  expect(hls.taken()).toEqual(['stop']);
  hls.media.seek(50);
  hls.media.readyState = 1;
  vi.advanceTimersByTime(RESTART_MS);
  expect(hls.taken()).toEqual(['load', 'start 50']);
});

test('with its media element gone or itself, nothing is loaded any more', () => {
  fail(500);
  hls.emit('DESTROYING');
  hls.emit('MEDIA_DETACHING');
  hls.media.seek(50);
  vi.advanceTimersByTime(10 * RESTART_MS);
  expect(hls.taken()).toEqual([]);
});

test('what the element cannot decode is recovered from, and goes on playing', () => {
  const play = vi.fn(() => Promise.resolve());
  Object.assign(hls.media, { paused: false, play, error: { code: 3, message: 'no such picture' } });
  hls.media.dispatchEvent(new Event('error'));
  expect(hls.taken()).toEqual(['recover']);
  expect(play).toHaveBeenCalledOnce();
  hls.media.paused = true;
  hls.media.dispatchEvent(new Event('error'));
  expect(hls.taken()).toEqual(['recover']);
  expect(play).toHaveBeenCalledOnce();
});

test('other errors of the element are left to hls.js', () => {
  hls.media.error = { code: 4, message: 'no such format' };
  hls.media.dispatchEvent(new Event('error'));
  hls.media.error = null;
  hls.media.dispatchEvent(new Event('error'));
  expect(hls.taken()).toEqual([]);
});
