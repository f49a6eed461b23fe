import { describe, expect, it } from 'vitest';

import type { Rendition } from './api';
import {
  choices,
  levelLabel,
  nearestPlayable,
  playableNames,
  renditionOf,
  type LevelInfo,
} from './quality';

const rendition = (name: string, segments: number, done: number): Rendition => ({
  name,
  kind: name.startsWith('audio') ? 'audio' : 'video',
  width: 640,
  height: 360,
  bitrate: 1,
  codecs: 'avc1.42c01e',
  segments,
  done,
});
const level = (index: number, name: string, width: number, height: number): LevelInfo => ({
  index,
  name,
  url: `/media/k/${name}-1/index.m3u8`,
  width,
  height,
  bitrate: 1,
});

const LEVELS = [
  level(0, '360p', 640, 360),
  level(1, '720p', 1280, 720),
  level(2, '1080p', 1920, 1080),
  level(3, 'source', 1920, 1080),
];

describe('a level', () => {
  it('is known by the address of its playlist', () => {
    expect(renditionOf('http://h/media/abc/360p-1/index.m3u8')).toBe('360p');
    expect(renditionOf('/media/abc/audio-0-12/index.m3u8?x=1')).toBe('audio-0');
    expect(renditionOf('/media/abc/master.m3u8')).toBe('');
  });

  it('is called by its rung, and the source by its smaller side too', () => {
    expect(levelLabel(LEVELS[1]!)).toBe('720p');
    expect(levelLabel(LEVELS[3]!)).toBe('Source (1080p)');
    expect(levelLabel(level(0, 'source', 1080, 1920))).toBe('Source (1080p)');
  });
});

describe('what can be played', () => {
  it('is the first picture at once, the source as soon as it is offered, rungs when whole', () => {
    const all = [
      rendition('360p', 10, 0),
      rendition('source', 5, 0),
      rendition('1080p', 5, 4),
      rendition('720p', 5, 5),
      rendition('audio-0', 3, 3),
    ];
    expect(playableNames(all)).toEqual(new Set(['360p', 'source', '720p']));
    expect(playableNames([rendition('360p', 0, 0), rendition('source', 0, 0)])).toEqual(new Set());
    expect(playableNames([])).toEqual(new Set());
  });

  it('takes the place of what cannot, from below if there is something', () => {
    const can = new Set(['360p', 'source']);
    expect(nearestPlayable(3, LEVELS, can)).toBe(3);
    expect(nearestPlayable(2, LEVELS, can)).toBe(0);
    expect(nearestPlayable(0, LEVELS, new Set(['720p']))).toBe(1);
    expect(nearestPlayable(2, LEVELS, new Set())).toBe(-1);
  });
});

describe('the choices', () => {
  it('are all levels, the best first, and Auto', () => {
    const all = [rendition('360p', 10, 10), rendition('1080p', 8, 3)];
    const list = choices(LEVELS, new Set(['360p', 'source']), all);
    expect(list.map((c) => c.label)).toEqual(['Source (1080p)', '1080p', '720p', '360p', 'Auto']);
    expect(list.map((c) => c.wait)).toEqual(['', 'in the making, 37 %', 'in the making, 0 %', '', '']);
  });

  it('say of a copy that this browser cannot decode that it cannot', () => {
    const all = [rendition('360p', 10, 10), rendition('source', 8, 8)];
    const list = choices(LEVELS, new Set(['360p']), all, new Set(['source']));
    expect(list[0]?.wait).toBe('cannot be decoded');
  });
});
