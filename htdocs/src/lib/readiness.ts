/** Which moments of a video can be played now: from segments of renditions to seconds of
 * the timeline. Pure. */
import type { RenditionSegments, SegmentState } from './api';

/** A piece of the timeline in seconds. A list of them covers all of it, in order, and no
 * two neighbours are alike. */
export interface Stretch {
  from: number;
  to: number;
  state: SegmentState;
}

/** What a player needs all at once: a picture and, where there is sound, the sound it
 * starts with. More pictures mean more choice, not more to wait for. */
export function needed(renditions: readonly RenditionSegments[]): RenditionSegments[] {
  const planned = renditions.filter((r) => r.segments > 0);
  const first = ['video', 'audio'].map((kind) => planned.find((r) => r.kind === kind));
  return first.filter((r) => r !== undefined);
}

/** Nothing is left to wait for. */
export function isComplete(renditions: readonly RenditionSegments[]): boolean {
  const all = needed(renditions);
  return all.length > 0 && all.every((r) => r.runs.every((run) => run.state === 'ready'));
}

/** Seconds as a rendition's segments count them. */
const lengthOf = (r: RenditionSegments) => r.segments * r.segment_duration;

function stretchesOf(r: RenditionSegments, duration: number): Stretch[] {
  return r.runs.map(({ state, from, count }) => {
    const end = from + count;
    // The last segment ends where the video does, be it shorter than the others or not.
    const to = end >= r.segments ? duration : Math.min(duration, end * r.segment_duration);
    return { state, from: Math.min(duration, from * r.segment_duration), to };
  });
}

/** All have it: ready. One is at it: encoding. */
function together(states: SegmentState[]): SegmentState {
  if (states.every((state) => state === 'ready')) return 'ready';
  return states.includes('encoding') ? 'encoding' : 'missing';
}

/** The timeline of a video. duration: its length in seconds, null if nobody knows; then it
 * is as long as its segments. Empty while nothing has been planned. */
export function timeline(
  renditions: readonly RenditionSegments[],
  duration: number | null,
): Stretch[] {
  const all = needed(renditions);
  const end = duration ?? Math.max(0, ...all.map(lengthOf));
  const lists = all.map((r) => stretchesOf(r, end).filter((s) => s.to > s.from));
  const edges = [...new Set(lists.flat().flatMap((s) => [s.from, s.to]))].sort((a, b) => a - b);
  const result: Stretch[] = [];
  edges.slice(0, -1).forEach((from, i) => {
    const to = edges[i + 1]!;
    const state = together(lists.map((list) => at(list, (from + to) / 2)?.state ?? 'missing'));
    const last = result.at(-1);
    if (last?.state === state) last.to = to;
    else result.push({ from, to, state });
  });
  return result;
}

function at(stretches: readonly Stretch[], seconds: number): Stretch | undefined {
  return stretches.find((s) => seconds < s.to) ?? stretches.at(-1);
}

/** Whether what is seen and heard at that moment exists. */
export function isReady(stretches: readonly Stretch[], seconds: number): boolean {
  return at(stretches, seconds)?.state === 'ready';
}

/** What is not ready, without a difference between what is being made and what is not. */
export function gaps(stretches: readonly Stretch[]): { from: number; to: number }[] {
  const result: { from: number; to: number }[] = [];
  for (const { from, to, state } of stretches) {
    const last = result.at(-1);
    if (state === 'ready') continue;
    if (last?.to === from) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** 0..1: how much of the timeline is ready. */
export function readyShare(stretches: readonly Stretch[]): number {
  const end = stretches.at(-1)?.to ?? 0;
  if (end === 0) return 0;
  return gaps(stretches).reduce((left, gap) => left - (gap.to - gap.from), end) / end;
}
