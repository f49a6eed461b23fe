/**
 * The client of the JSON API, typed to the HTTP contract. Nothing else in the UI
 * calls fetch. Every function resolves to the answer or rejects with an ApiError
 * whose message is a sentence that can be shown as it is.
 */

export type VideoState = 'receiving' | 'stored' | 'processing' | 'ready' | 'failed';

export interface Rendition {
  name: string;
  kind: 'video' | 'audio';
  width: number | null;
  height: number | null;
  bitrate: number | null;
  codecs: string | null;
  segments: number;
  done: number;
  /** It makes room until somebody wants it. */
  put_away?: true;
}

/** Seconds since the upload began; null: has not happened yet. */
export interface Timing {
  first_segment_s: number | null;
  stored_s: number | null;
  ready_s: number | null;
}

export interface Subtitle {
  /** A language (BCP 47), with a number where there are several of it: "en", "en-2". */
  lang: string;
  label: string | null;
  /** A track inside the video, or a file that was added to it. */
  source: 'track' | 'file';
  /** To be shown to everybody, where people speak another language. */
  forced: boolean;
  /** null until it can be fetched. */
  url: string | null;
  /** Why there is no file of it, or only an older one. */
  error: string | null;
}

/** What there is to know of a video for whoever may only watch it. Its addresses are under a
 * key that is the asker's own, and may be another one the next time. */
export interface Watchable {
  title: string;
  state: VideoState;
  playable: boolean;
  warning: string | null;
  /** Seconds. */
  duration: number | null;
  width: number | null;
  height: number | null;
  media: string | null;
  /** The address of its own picture: another one has another. */
  poster: string | null;
  /** WebVTT: the small pictures of the seek bar, as many as there are so far. */
  storyboard: string | null;
  renditions: Rendition[];
  subtitles: Subtitle[];
}

/** Who may watch it besides its owner and those of the site. */
export type Visibility = 'private' | 'everyone';

/** What the one who asks may do with a video. */
export interface May {
  edit: boolean;
  share: boolean;
  download: boolean;
}

export interface Video extends Watchable {
  id: string;
  /** Why it failed; null if it did not. */
  error: string | null;
  filename: string;
  /** Bytes; null while nobody knows. */
  size: number | null;
  received: number;
  container: string | null;
  /** Why its picture is not offered as it is in the file; null if it is, or not known yet. */
  copy_refused?: string | null;
  fps: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  created_at: string;
  /** Who has uploaded it; null: nobody who is still there. */
  owner: string | null;
  visibility: Visibility;
  may: May;
  timing: Timing;
}

/** `encoding`: what an encoder works on at this moment, one segment for each of its runs. */
export type SegmentState = 'ready' | 'encoding' | 'missing';

/** count segments from segment number `from` on. */
export interface SegmentRun {
  state: SegmentState;
  from: number;
  count: number;
}

export interface RenditionSegments {
  name: string;
  kind: 'video' | 'audio';
  generation: number;
  /** Seconds; the last segment may be shorter. */
  segment_duration: number;
  segments: number;
  done: number;
  /** Cover all segments, in order. */
  runs: SegmentRun[];
}

export interface Segments {
  renditions: RenditionSegments[];
  /** Seconds of the timeline that have come in; null or absent once all of it has. */
  arrived?: number | null;
}

export type Sort = 'newest' | 'oldest' | 'title';

export interface VideoPage {
  videos: Video[];
  next: string | null;
}

export interface ActivityEntry {
  id: number;
  at: string;
  level: 'info' | 'warn' | 'error';
  kind: string;
  video_id: string | null;
  title: string | null;
  message: string;
}

export interface ActivityPage {
  activity: ActivityEntry[];
  next: number | null;
}

/** In bytes. */
export interface DiskUse {
  free: number | null;
  /** Of it, so much is to stay free. */
  reserve: number;
  /** There is less, and nothing is made until there is room. */
  paused: boolean;
  originals: number;
  /** All segments. */
  media: number;
  /** What they may have; null: any. */
  budget: number | null;
}

export interface Health {
  status: 'ok' | 'degraded';
  disk?: DiskUse;
  /** Whether what reads uploads is locked in; null: no worker has said. */
  jail?: { complete: boolean; lacks: string } | null;
}

/** status is 0 when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** Seconds to wait before the next try; 0 where the server did not say. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

/** Called whenever the server says that nobody is signed in. */
let signedOut: () => void = () => {};
export const onSignedOut = (fn: () => void): void => void (signedOut = fn);

const TIMEOUT_MS = 20_000;
/** What to say for an answer that is not what it should be. */
export const NONSENSE = 'The server gave an answer that makes no sense.';

/** What to say for an answer that carries no sentence of its own. */
function sentence(status: number): string {
  if (status === 0) return 'The server does not answer.';
  if (status === 401) return 'You have to sign in for this.';
  if (status === 403) return 'You may not do this.';
  if (status === 404) return 'This does not exist any more.';
  if (status === 413) return 'The file is larger than this site takes.';
  if (status === 507) return 'The disk of this site is full.';
  if (status >= 500) return `The server has a problem (${status}).`;
  return `The server refused this (${status}).`;
}

/** The error that an answer's status and body stand for; the body may be anything. Answers to
 * whatever is sent come by here, so it is noticed at once that a session has ended. */
export function errorFrom(status: number, body: string, retryAfter = 0): ApiError {
  let said = new ApiError(status, '', sentence(status), retryAfter);
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } };
    if (typeof error?.message === 'string' && error.message !== '') {
      said = new ApiError(status, String(error.code ?? ''), error.message, retryAfter);
    }
  } catch {
    // A page of lighttpd's own, or a proxy's: its status is all there is to say.
  }
  if (status === 401 && ['', 'sign_in'].includes(said.code)) signedOut();
  return said;
}

interface Sent {
  headers?: Record<string, string>;
  body?: BodyInit;
  timeoutMs?: number;
  /** A status besides the 200s that is an answer. */
  also?: number;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/** Any answer of the 200s; all else rejects. */
export async function request(method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const { headers, body, timeoutMs = TIMEOUT_MS, also } = sent;
  const init: RequestInit = { method, signal: AbortSignal.timeout(timeoutMs) };
  if (headers !== undefined) init.headers = headers;
  if (body !== undefined) init.body = body;
  let got: Answer;
  try {
    const answer = await fetch(path, init);
    got = { status: answer.status, headers: answer.headers, text: await answer.text() };
  } catch {
    throw errorFrom(0, '');
  }
  if ((got.status < 200 || got.status > 299) && got.status !== also) {
    throw errorFrom(got.status, got.text, Number(got.headers?.get('Retry-After')) || 0);
  }
  return got;
}

function parse<T>({ status, text }: Answer): T {
  try {
    return (text === '' ? undefined : JSON.parse(text)) as T;
  } catch {
    throw new ApiError(status, 'bad_json', NONSENSE);
  }
}

/** body: what becomes JSON; undefined: none. */
export function requestJson(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const json = { ...headers, 'Content-Type': 'application/json' };
  const sent = body === undefined ? { headers } : { headers: json, body: JSON.stringify(body) };
  return request(method, path, sent);
}

/** An answer that is JSON, or nothing. */
export const call = async <T>(...asked: Parameters<typeof requestJson>): Promise<T> =>
  parse(await requestJson(...asked));

const at = (id: string) => `/api/videos/${encodeURIComponent(id)}`;

export interface VideoQuery {
  q: string;
  sort: Sort;
  /** Only one's own. */
  mine: boolean;
  limit: number;
  after: string | null;
}

export function listVideos(query: VideoQuery): Promise<VideoPage> {
  const params = new URLSearchParams({ limit: String(query.limit), sort: query.sort });
  if (query.q !== '') params.set('q', query.q);
  if (query.mine) params.set('mine', '1');
  if (query.after !== null) params.set('after', query.after);
  return call('GET', `/api/videos?${params}`);
}

export const getVideo = (id: string): Promise<Video> => call('GET', at(id));

/** Which segments exist, are being made, are still to come. */
export const getSegments = (id: string): Promise<Segments> => call('GET', `${at(id)}/segments`);

export const renameVideo = (id: string, title: string): Promise<Video> =>
  call('PATCH', at(id), { title });

export const setVisibility = (id: string, visibility: Visibility): Promise<Video> =>
  call('PATCH', at(id), { visibility });

/** New keys for all who may watch it, in place of those that there are. */
export const rekeyVideo = (id: string): Promise<Video> => call('POST', `${at(id)}/rekey`);

/** Where the file is that was uploaded, for those who may have it. */
export const originalOf = (id: string): string => `${at(id)}/original`;

/** Takes the picture of that moment; the poster is another one soon after. */
export const choosePoster = (id: string, seconds: number): Promise<Video> =>
  call('PUT', `${at(id)}/poster`, { at: seconds });

/** The text of a video's storyboard. */
export const getStoryboard = async (url: string): Promise<string> =>
  (await request('GET', url)).text;

export const deleteVideo = (id: string): Promise<void> => call('DELETE', at(id));

/** An SRT or WebVTT file; replaces what has this name. */
export async function putSubtitles(id: string, lang: string, file: Blob): Promise<Video> {
  const path = `${at(id)}/subtitles/${encodeURIComponent(lang)}`;
  return parse(await request('PUT', path, { body: file }));
}

export const deleteSubtitles = (id: string, lang: string): Promise<void> =>
  call('DELETE', `${at(id)}/subtitles/${encodeURIComponent(lang)}`);

export const retryVideo = (id: string): Promise<void> => call('POST', `${at(id)}/retry`);

/** How the site is; to all but owners its status alone. */
export const getHealth = async (): Promise<Health> =>
  parse(await request('GET', '/api/health', { also: 503 }));

/** after null: the newest entries. Oldest first in either case. */
export function listActivity(after: number | null): Promise<ActivityPage> {
  return call('GET', after === null ? '/api/activity' : `/api/activity?after=${after}`);
}
