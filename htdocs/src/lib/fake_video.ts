import type { Video } from './api';

/** A video that is ready, but for what the test says. */
export function fakeVideo(over: Partial<Video> = {}): Video {
  return {
    id: 'aaaaaaaaaaaaaaaa',
    title: 'A walk',
    filename: 'walk.mp4',
    size: 1000,
    received: 1000,
    container: 'mp4',
    state: 'ready',
    playable: true,
    error: null,
    warning: null,
    duration: 61,
    width: 1920,
    height: 1080,
    fps: 29.97002997,
    video_codec: 'h264',
    audio_codec: 'aac',
    created_at: '2026-03-10T12:00:00.000Z',
    owner: 'ada',
    visibility: 'private',
    may: { edit: true, share: true, download: true },
    media: `/media/${'k'.repeat(26)}/master.m3u8`,
    poster: null,
    storyboard: null,
    renditions: [],
    subtitles: [],
    timing: { first_segment_s: null, stored_s: null, ready_s: null },
    ...over,
  };
}
