import { flushSync } from 'svelte';
import { expect, test } from 'vitest';

import type { Rendition } from '../lib/api';
import { Quality } from './quality.svelte';

const picture = (name: string, done: number): Rendition => ({
  ...{ name, kind: 'video', width: 640, height: 360, bitrate: 1, codecs: null },
  ...{ done, segments: 4 },
});
const answer = (done: number) => [picture('360p', 4), picture('720p', done)];

/** What a playlist of that video and generation lists. */
const listed = (names: string[], key = 'k', generation = 1) =>
  names.map((name) => ({ uri: `/media/${key}/${name}-${generation}/index.m3u8`, width: 1, height: 1 }));

/** As much of hls.js as is needed. */
function fakeHls(levels: ReturnType<typeof listed>) {
  const heard = new Map<string, (...args: unknown[]) => void>();
  const hls = {
    levels,
    on: (event: string, fn: () => void) => heard.set(event, fn),
    nextLevel: 0,
    caps: [] as number[],
    set autoLevelCapping(level: number) {
      this.caps.push(level);
    },
  };
  const names = ['MANIFEST_PARSED', 'LEVELS_UPDATED', 'LEVEL_SWITCHED', 'ERROR'];
  const events = Object.fromEntries(names.map((name) => [name, name]));
  return { hls, events, tell: (event: string, data?: object) => heard.get(event)!(event, data) };
}

/** A page with a player: poll() is an answer of the server; seen counts what is drawn anew. */
function page() {
  const { hls, events, tell } = fakeHls(listed(['360p', '720p']));
  const quality = new Quality();
  quality.follow(hls as never, events as never);
  let renditions = $state.raw(answer(1));
  const seen = { told: 0, drawn: 0 };
  const stop = $effect.root(() => {
    $effect(() => {
      seen.told += 1;
      quality.know(renditions);
    });
    $effect(() => {
      seen.drawn += quality.choices.length > 0 ? 1 : 0;
    });
  });
  flushSync();
  const poll = (next: Rendition[]) => {
    renditions = next;
    flushSync();
  };
  return { quality, hls, tell, seen, poll, stop };
}

test('an answer that says the same again changes nothing', () => {
  const { quality, hls, tell, seen, poll, stop } = page();
  tell('MANIFEST_PARSED');
  flushSync();
  const before = { ...seen };
  const caps = hls.caps.length;
  poll(answer(1));
  poll(answer(1));
  expect(seen.told).toBe(before.told + 2);
  expect(seen.drawn).toBe(before.drawn);
  expect(hls.caps).toHaveLength(caps);
  expect(quality.choices.map((c) => c.wait)).toEqual(['in the making, 25 %', '', '']);
  stop();
});

test('one that says more is told once, and lifts the cap', () => {
  const { quality, hls, tell, seen, poll, stop } = page();
  tell('MANIFEST_PARSED');
  flushSync();
  const before = { ...seen };
  expect(hls.caps.at(-1)).toBe(0);
  poll(answer(4));
  expect(seen).toEqual({ told: before.told + 1, drawn: before.drawn + 1 });
  expect(hls.caps.at(-1)).toBe(1);
  expect(quality.choices.map((c) => c.wait)).toEqual(['', '', '']);
  stop();
});

test('what is chosen and gone from the answer is Auto again', () => {
  const { quality, hls, tell, poll, stop } = page();
  tell('MANIFEST_PARSED');
  poll(answer(4));
  quality.choose('720p');
  expect([quality.choice, hls.nextLevel]).toEqual(['720p', 1]);
  poll([picture('360p', 4)]);
  expect([quality.choice, hls.nextLevel]).toEqual(['auto', -1]);
  stop();
});

const CANNOT_DECODE = { fatal: true, type: 'mediaError', details: 'internalException' };
const copied = ['360p', 'source'];
const waits = (quality: Quality) => quality.choices.map((c) => `${c.value} ${c.wait}`.trim());

/** A player that was shown a copy, and could not decode it. */
function damaged() {
  const fake = fakeHls(listed(copied));
  const quality = new Quality();
  quality.follow(fake.hls as never, fake.events as never);
  quality.know([picture('360p', 4), picture('source', 4)]);
  fake.tell('MANIFEST_PARSED');
  quality.choose('source');
  fake.tell('LEVEL_SWITCHED', { level: 1 });
  fake.tell('ERROR', CANNOT_DECODE);
  return { ...fake, quality };
}

test('a copy that cannot be decoded is left for good, as long as it is the same', () => {
  const { quality, hls, tell } = damaged();
  const left = () => {
    expect(waits(quality)).toEqual(['source cannot be decoded', '360p', 'auto']);
    expect(quality.choice).toBe('auto');
    expect(hls.caps.at(-1)).toBe(0);
  };
  left();
  quality.choose('source');
  left();
  quality.know([picture('360p', 4), picture('source', 4), picture('720p', 1)]);
  left();
  tell('MANIFEST_PARSED'); // loaded anew, the same again
  left();
});

test('one that was made again may be played', () => {
  const { quality, hls, tell } = damaged();
  hls.levels = listed(copied, 'k', 2);
  tell('MANIFEST_PARSED');
  expect(waits(quality)).toEqual(['source', '360p', 'auto']);
  expect(hls.caps.at(-1)).toBe(1);
  quality.choose('source');
  expect([quality.choice, hls.nextLevel]).toEqual(['source', 1]);
});

test('so may that of another video, in the same player', () => {
  const { quality } = damaged();
  const { hls, events, tell } = fakeHls(listed(copied, 'other'));
  quality.follow(hls as never, events as never);
  tell('MANIFEST_PARSED');
  expect(waits(quality)).toEqual(['source', '360p', 'auto']);
  expect(hls.caps.at(-1)).toBe(1);
});

test('what was put away can be chosen, and stays so while it is made again', () => {
  const { quality, hls, tell, poll, stop } = page();
  const resting = (done: number): Rendition[] => [
    picture('360p', 4),
    done === 0 ? { ...picture('720p', 0), put_away: true } : picture('720p', done),
  ];
  tell('MANIFEST_PARSED');
  poll(resting(0));
  expect(quality.choices.map(({ wait }) => wait)).toEqual(['', '', '']);
  expect(hls.caps.at(-1)).toBe(0); // nobody is led there unasked
  quality.choose('720p');
  expect(hls.nextLevel).toBe(1);
  poll(resting(1));
  expect(quality.choice).toBe('720p');
  poll(resting(4));
  expect(quality.choice).toBe('720p');
  expect(hls.caps.at(-1)).toBe(1);
  stop();
});
