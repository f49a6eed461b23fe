import { expect, test } from 'vitest';

import type { Rendition, Video } from './api';
import { fakeVideo } from './fake_video';
import {
  awaitsSubtitles, details, encodedShare, isActive, isCopying, isMadeAgain, milestones, playingOf,
  playsAlready, receivedShare, renditionName, stateText,
} from './video';

const rendition = (done: number, segments: number, name = '360p'): Rendition => ({
  name,
  kind: name.startsWith('audio') ? 'audio' : 'video',
  width: null,
  height: null,
  bitrate: null,
  codecs: null,
  done,
  segments,
});

test('a failed video that has not failed any more is made again', () => {
  const [failed, stored, processing, ready] = (['failed', 'stored', 'processing', 'ready'] as const)
    .map((state) => fakeVideo({ state })) as [Video, Video, Video, Video];
  expect(isMadeAgain(failed, stored)).toBe(true);
  expect(isMadeAgain(failed, ready)).toBe(true);
  expect(isMadeAgain(failed, failed)).toBe(false);
  expect(isMadeAgain(null, stored)).toBe(false);
  expect(isMadeAgain(stored, processing)).toBe(false);
  expect(isMadeAgain(processing, failed)).toBe(false);
});

test('a video changes by itself until it is ready or has failed', () => {
  const states = ['receiving', 'stored', 'processing', 'ready', 'failed'] as const;
  expect(states.filter((state) => isActive(fakeVideo({ state })))).toEqual([
    'receiving',
    'stored',
    'processing',
  ]);
});

test('a video that has begun to be made plays already, also while it comes in', () => {
  const begun = { playable: true, media: '/media/k/master.m3u8' };
  const states = ['receiving', 'processing', 'ready', 'failed'] as const;
  expect(states.map((state) => playsAlready(fakeVideo({ ...begun, state })))).toEqual([
    ...[true, true, false, false],
  ]);
  expect(playsAlready(fakeVideo({ state: 'receiving', playable: false, media: null }))).toBe(false);
});

test('a file that is sent is known by its name and size, where only one video has them', () => {
  const file = { name: 'walk.mp4', size: 1000 };
  const arriving = fakeVideo({ state: 'receiving' });
  const ready = fakeVideo({ id: 'b' });
  const other = fakeVideo({ state: 'receiving', id: 'c', size: 2000 });
  expect(playingOf(file, [ready, other, arriving])).toBe('aaaaaaaaaaaaaaaa');
  expect(playingOf(file, [ready, other])).toBe('');
  expect(playingOf(file, [arriving, { ...arriving, id: 'd' }])).toBe('');
  expect(playingOf(file, [{ ...arriving, playable: false }])).toBe('');
});

test('an upload of unknown size has no share', () => {
  expect(receivedShare(fakeVideo({ size: null, received: 5 }))).toBeNull();
  expect(receivedShare(fakeVideo({ size: 10, received: 5 }))).toBe(0.5);
});

test('renditions count the same, however many segments they have', () => {
  const renditions = [rendition(30, 30), rendition(0, 9, '1080p'), rendition(0, 15, 'audio-0')];
  expect(encodedShare(fakeVideo({ renditions }))).toBe(0.5);
  expect(encodedShare(fakeVideo({ renditions: [] }))).toBeNull();
  expect(encodedShare(fakeVideo({ renditions: [rendition(0, 0)] }))).toBe(0);
});

test('each state has its own label, and progress where there is some', () => {
  const video = { size: 4, received: 1, renditions: [rendition(3, 4)] };
  expect(stateText(fakeVideo({ ...video, state: 'receiving' })).share).toBe(0.25);
  expect(stateText(fakeVideo({ ...video, state: 'processing' })).share).toBe(0.75);
  expect(stateText(fakeVideo({ ...video, state: 'stored' })).share).toBeNull();
  expect(stateText(fakeVideo({ ...video, state: 'failed' })).tone).toBe('bad');
});

test('details name what is known and leave out what is not', () => {
  const rows = new Map(details(fakeVideo()));
  expect(rows.get('Picture')).toBe('1920 × 1080, 29.97 fps');
  expect(rows.get('Codecs')).toBe('H.264, AAC');
  expect(rows.get('File')).toBe('MP4, 1.0 kB');
  const early = new Map(
    details(fakeVideo({ duration: null, width: null, video_codec: null, container: null })),
  );
  expect([...early.keys()]).toEqual(['File', 'Name', 'Added']);
});

test('a video without sound says so', () => {
  expect(new Map(details(fakeVideo({ audio_codec: null }))).get('Codecs')).toBe('H.264, no sound');
});

test('milestones come in the order in which they happened', () => {
  const timing = { first_segment_s: 12.2, stored_s: 3.04, ready_s: null };
  expect(milestones(fakeVideo({ timing }))).toEqual([
    ['Stored', 'after 3.0 s'],
    ['First picture', 'after 12 s'],
  ]);
});

test('a video is copying while its source is to be copied, not while other pictures are to come', () => {
  const first = rendition(3, 3);
  const video = (...more: Rendition[]) => fakeVideo({ state: 'ready', renditions: [first, ...more] });
  expect(isCopying(video(rendition(1, 2, '720p')))).toBe(false);
  expect(isCopying(video(rendition(0, 0, 'source')))).toBe(true);
  expect(isCopying(video({ ...rendition(0, 4, 'source'), put_away: true }))).toBe(false);
  expect(isCopying(video(rendition(2, 2, 'source')))).toBe(false);
});

test('nothing more comes to a video that failed: neither its source nor subtitles', () => {
  const track = { lang: 'en', label: null, source: 'track', forced: false, url: null, error: null } as const;
  const half = { renditions: [rendition(1, 2, 'source')], subtitles: [track] };
  expect([isCopying(fakeVideo(half)), awaitsSubtitles(fakeVideo(half))]).toEqual([true, true]);
  const failed = fakeVideo({ ...half, state: 'failed' });
  expect([isCopying(failed), awaitsSubtitles(failed)]).toEqual([false, false]);
});

test('subtitles that could not be made are not waited for', () => {
  const track = { lang: 'en', label: null, source: 'track', forced: false, url: null } as const;
  expect(awaitsSubtitles(fakeVideo({ subtitles: [{ ...track, error: 'Too much.' }] }))).toBe(false);
});

test('renditions are called what a person would call them', () => {
  const names = (...list: string[]) => {
    const all = list.map((name) => rendition(0, 1, name));
    return all.map((r) => renditionName(r, all));
  };
  expect(names('360p', 'source', 'audio-0')).toEqual(['360p', 'Source', 'Sound']);
  expect(names('360p', 'audio-0', 'audio-1')).toEqual(['360p', 'Sound 1', 'Sound 2']);
});
