import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { MediaAddress, type Ask } from './media_address';
import { followAddress } from './native_source';
import { RESTART_MS } from './nurse';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => `/media/${letter.repeat(26)}/master.m3u8`) as [string, string, string];

/** An element that does what HTML says of a new src: it forgets all but that. */
class FakeMedia extends EventTarget {
  #src = '';
  #rate = 1;
  #time = 0;
  paused = true;
  error: object | null = null;
  calls: string[] = [];

  get src() {
    return this.#src;
  }
  set src(value: string) {
    this.calls.push(`src ${value}`);
    this.#src = value;
    this.error = null;
    this.paused = true;
    this.#time = 0;
    this.#rate = 1;
    this.say('emptied', 'timeupdate', 'waiting');
  }
  get currentTime() {
    return this.#time;
  }
  set currentTime(value: number) {
    this.calls.push(`to ${value}`);
    this.#time = value;
    this.say('seeking');
  }
  get playbackRate() {
    return this.#rate;
  }
  set playbackRate(value: number) {
    this.#rate = value;
  }
  play() {
    this.calls.push('play');
    this.paused = false;
    this.say('play');
    return Promise.resolve();
  }
  say(...types: string[]) {
    for (const type of types) this.dispatchEvent(new Event(type));
  }
  playTo(seconds: number) {
    this.#time = seconds;
    this.say('timeupdate');
  }
  /** Some are back at the beginning then. */
  fail() {
    this.error = {};
    this.#time = 0;
    this.paused = true;
    this.say('timeupdate', 'pause', 'error');
  }
}

let media: FakeMedia;
let stop: () => void;

function follow(ask: Ask) {
  media = new FakeMedia();
  const address = new MediaAddress(A.replace('master', 'player'), ask);
  stop = followAddress(media, address);
  media.src = A;
  media.say('loadedmetadata');
  media.calls = [];
  return address;
}
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  stop();
  vi.useRealTimers();
});

test('what has moved begins again where it was, and plays if it played', async () => {
  follow(async () => B);
  await media.play();
  media.playbackRate = 1.5;
  media.playTo(12);
  media.fail();
  await settle();
  expect(media.calls).toEqual(['play', `src ${B}`, 'play']);
  media.say('timeupdate', 'loadedmetadata');
  expect(media.calls.at(-1)).toBe('to 12');
  expect([media.paused, media.playbackRate]).toEqual([false, 1.5]);
});

test('one that was paused stays so, wherever it was put meanwhile', async () => {
  follow(async () => B);
  media.currentTime = 30;
  media.calls = [];
  media.fail();
  await settle();
  media.say('loadedmetadata');
  expect(media.calls).toEqual([`src ${B}`, 'to 30']);
  media.say('loadedmetadata'); // of a switch within it
  expect(media.calls).toHaveLength(2);
});

test('new keys again and again, also before it has begun again', async () => {
  const keys = [B, C];
  follow(async () => keys.shift()!);
  media.playTo(7);
  media.fail();
  await settle();
  media.fail();
  await settle();
  media.say('loadedmetadata');
  expect(media.calls).toEqual([`src ${B}`, `src ${C}`, 'to 7']);
});

test('one that waits under an old address begins again, and asks nobody', async () => {
  const ask = vi.fn(async () => B);
  const address = follow(ask);
  media.playTo(5);
  media.say('waiting');
  expect(media.calls).toEqual([]);
  address.know(B);
  expect(media.calls).toEqual([]); // what it has still plays
  media.say('waiting');
  media.say('loadedmetadata');
  expect(media.calls).toEqual([`src ${B}`, 'to 5']);
  expect(ask).not.toHaveBeenCalled();
});

test('what fails where it is, or is lost, is left alone', async () => {
  for (const found of [A, null]) {
    follow(async () => found);
    media.fail();
    await settle();
    expect(media.calls).toEqual([]);
    stop();
  }
});

test('while nobody says where it is they are asked again', async () => {
  const ask = vi.fn(async (): Promise<string | null> => Promise.reject(new Error('down')));
  follow(ask);
  media.playTo(3);
  media.fail();
  await settle();
  expect(media.calls).toEqual([]);
  ask.mockImplementation(async () => B);
  await vi.advanceTimersByTimeAsync(RESTART_MS);
  media.say('loadedmetadata');
  expect(media.calls).toEqual([`src ${B}`, 'to 3']);
  media.fail();
  stop();
  ask.mockImplementation(async () => C);
  await vi.advanceTimersByTimeAsync(RESTART_MS);
  expect(media.calls).toHaveLength(2);
});
