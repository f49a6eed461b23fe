import Hls from 'hls.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { PATIENCE_MS, PatientGaps } from './patient_gaps';

type Range = [from: number, to: number];

/** As much of a media element as is asked about. It plays only if told so. */
class FakeMedia extends EventTarget {
  readyState = 2;
  paused = false;
  ended = false;
  seeking = false;
  playbackRate = 1;
  jumps: number[] = [];
  ranges: Range[] = [];
  #at: number;

  constructor(at: number) {
    super();
    this.#at = at;
  }
  get buffered() {
    return {
      length: this.ranges.length,
      start: (i: number) => this.ranges[i]![0],
      end: (i: number) => this.ranges[i]![1],
    };
  }
  get currentTime(): number {
    return this.#at;
  }
  set currentTime(t: number) {
    this.jumps.push(t);
    this.#at = t;
  }
  playOn(seconds: number) {
    this.#at += seconds;
  }
}

/** An instance that plays a fake element; all else of hls.js is real. */
function begin(at: number) {
  const hls = new Hls({ enableWorker: false, gapController: PatientGaps });
  const media = new FakeMedia(at);
  const errors: string[] = [];
  hls.on(Hls.Events.ERROR, (_event, { details }) => errors.push(details));
  Object.defineProperty(hls, 'media', { value: media });
  const gaps = (hls as unknown as { gapController: PatientGaps }).gapController;
  const told = gaps as unknown as {
    onMediaAttached(event: string, data: object): void;
    onBufferAppended(event: string, data: object): void;
  };
  told.onMediaAttached('', { media });
  told.onBufferAppended('', { timeRanges: { video: media.buffered } });
  return { hls, media, errors };
}

/** The network was slow: the position stands at the end of what there is. */
async function starve(media: FakeMedia) {
  media.ranges = [[0, 4], [20, 24]];
  await vi.advanceTimersByTimeAsync(200);
  media.playOn(0.1);
  await vi.advanceTimersByTimeAsync(200);
  media.dispatchEvent(new Event('waiting'));
  await vi.advanceTimersByTimeAsync(500);
}

beforeEach(() => {
  vi.stubGlobal('self', globalThis);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('a decoder that begins again slowly after a wait for the network is left alone', async () => {
  const { hls, media, errors } = begin(23.9);
  await starve(media);
  media.ranges = [[0, 4], [20, 28]];
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 200);
  expect(media.jumps).toEqual([]);
  media.dispatchEvent(new Event('playing'));
  media.playOn(0.1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(media.jumps).toEqual([]);
  expect(errors).toEqual(['bufferStalledError']); // of the wait itself
  hls.destroy();
});

test('one that is stuck for good is helped on', async () => {
  const { hls, media } = begin(23.9);
  await starve(media);
  media.ranges = [[0, 4], [20, 28]];
  await vi.advanceTimersByTimeAsync(PATIENCE_MS + 200);
  expect(media.jumps.length).toBe(1);
  expect(media.currentTime).toBeGreaterThan(24);
  hls.destroy();
});

test('a hole is jumped over at once', async () => {
  const { hls, media } = begin(23.9);
  await starve(media);
  media.ranges = [[20, 24], [24.05, 28]];
  await vi.advanceTimersByTimeAsync(300);
  expect(media.currentTime).toBeGreaterThan(24.04);
  hls.destroy();
});
