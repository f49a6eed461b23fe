/** What a video's row means to a person. Pure. */
import type { Rendition, Video, Watchable } from './api';
import { formatBytes, formatDuration, formatMoment, formatTook } from './format';

/** It will change by itself soon. */
export function isActive(video: Pick<Watchable, 'state'>): boolean {
  return video.state !== 'ready' && video.state !== 'failed';
}

/** It can be watched while it is still on its way, or in the making. */
export function playsAlready(video: Video): boolean {
  return isActive(video) && video.playable && video.media !== null;
}

/** The id of the one video that is made of this file while it comes in, if it can be
 * watched; "" if there is none, or more than one may be it. */
export function playingOf(file: Pick<File, 'name' | 'size'>, videos: readonly Video[]): string {
  const same = videos.filter(
    (v) => v.state === 'receiving' && v.filename === file.name && v.size === file.size,
  );
  return same.length === 1 && playsAlready(same[0]!) ? same[0]!.id : '';
}

/** True if a failed video is being made again: under the same address, other segments. */
export function isMadeAgain(before: Watchable | null, now: Watchable): boolean {
  return before !== null && before.state === 'failed' && now.state !== 'failed';
}

/** Share of the bytes that have come in; null if that is unknown. */
export function receivedShare(video: Watchable & Partial<Video>): number | null {
  const { received, size } = video;
  return size && received !== undefined ? Math.min(1, received / size) : null;
}

const shareOf = (r: Rendition) => (r.segments > 0 ? r.done / r.segments : 0);

/** What a video is not ready without: the picture that it begins with, and its sounds. */
function basics(video: Watchable): Rendition[] {
  const first = video.renditions.find((r) => r.kind === 'video');
  return video.renditions.filter((r) => r === first || r.kind === 'audio');
}

/** Share of the promised segments that exist of what a video is not ready without, each
 * rendition counting the same; null while nothing has been promised. */
export function encodedShare(video: Watchable): number | null {
  const needed = basics(video);
  if (needed.length === 0) return null;
  return needed.reduce((sum, r) => sum + shareOf(r), 0) / needed.length;
}

/** The source, as it is, is about to be there: no more than seconds away. */
export function isCopying(video: Watchable): boolean {
  const source = video.renditions.find((r) => r.name === 'source');
  const begun = source !== undefined && source.put_away !== true;
  return video.state !== 'failed' && begun && shareOf(source) < 1;
}

/** There are subtitles of which nobody knows yet what becomes of them. */
export function awaitsSubtitles(video: Watchable): boolean {
  const open = video.subtitles.some(({ url, error }) => url === null && error === null);
  return video.state !== 'failed' && open;
}

export type Tone = 'calm' | 'busy' | 'good' | 'bad';

export interface StateText {
  label: string;
  tone: Tone;
  /** 0..1, or null where there is nothing to measure. */
  share: number | null;
}

export function stateText(video: Watchable & Partial<Video>): StateText {
  switch (video.state) {
    case 'receiving':
      return { label: 'Uploading', tone: 'busy', share: receivedShare(video) };
    case 'stored':
      return { label: 'In the queue', tone: 'calm', share: null };
    case 'processing':
      return { label: 'Preparing', tone: 'busy', share: encodedShare(video) };
    case 'ready':
      return { label: 'Ready', tone: 'good', share: null };
    case 'failed':
      return { label: 'Failed', tone: 'bad', share: null };
  }
}

/** Names of codecs as ffprobe says them → as people do. */
const CODECS: Record<string, string> = {
  h264: 'H.264',
  hevc: 'HEVC',
  vp8: 'VP8',
  vp9: 'VP9',
  av1: 'AV1',
  mpeg4: 'MPEG-4',
  prores: 'ProRes',
  aac: 'AAC',
  mp3: 'MP3',
  opus: 'Opus',
  vorbis: 'Vorbis',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  flac: 'FLAC',
};
const codecName = (codec: string) => CODECS[codec] ?? codec;

const CONTAINERS: Record<string, string> = {
  mp4: 'MP4',
  mov: 'QuickTime',
  matroska: 'Matroska',
  webm: 'WebM',
};

function picture(video: Video): string {
  if (!video.width || !video.height) return '';
  const fps = video.fps ? `, ${Number(video.fps.toFixed(2))} fps` : '';
  return `${video.width} × ${video.height}${fps}`;
}

function codecs(video: Video): string {
  if (!video.video_codec) return '';
  const sound = video.audio_codec ? codecName(video.audio_codec) : 'no sound';
  return `${codecName(video.video_codec)}, ${sound}`;
}

function file(video: Video): string {
  const parts = [CONTAINERS[video.container ?? ''] ?? '', formatBytes(video.size ?? video.received)];
  return parts.filter((p) => p !== '').join(', ');
}

/** Term and text, for what is known. accounts: there are some, so it matters who may watch. */
export function details(video: Video, accounts = false): [string, string][] {
  const audience = video.visibility === 'everyone' ? 'Everyone who is signed in' : 'Private';
  const rows: [string, string][] = [
    ['Duration', video.duration === null ? '' : formatDuration(video.duration)],
    ['Picture', picture(video)],
    ['Codecs', codecs(video)],
    ['File', file(video)],
    ['Name', video.filename],
    ['Added', [formatMoment(video.created_at), video.owner ? `by ${video.owner}` : ''].join(' ').trim()],
    ['For', accounts ? audience : ''],
    ['Source', video.copy_refused ? `Not offered as it is. ${video.copy_refused}` : ''],
  ];
  return rows.filter(([, text]) => text !== '');
}

/** What a person calls a rendition: "720p", "Source", "Sound 2". */
export function renditionName(r: Rendition, all: readonly Rendition[]): string {
  if (r.kind === 'video') return r.name === 'source' ? 'Source' : r.name;
  const sounds = all.filter(({ kind }) => kind === 'audio');
  return sounds.length > 1 ? `Sound ${sounds.indexOf(r) + 1}` : 'Sound';
}

/** What happened when, in seconds since the upload began. */
export function milestones(video: Video): [string, string][] {
  const { first_segment_s, stored_s, ready_s } = video.timing;
  const rows: [string, number | null][] = [
    ['First picture', first_segment_s],
    ['Stored', stored_s],
    ['All ready', ready_s],
  ];
  return rows
    .filter((row): row is [string, number] => row[1] !== null)
    .sort((a, b) => a[1] - b[1])
    .map(([label, s]) => [label, `after ${formatTook(s)}`]);
}
