/** Which moments of a video can be played now: from segments of renditions to seconds of
 * the timeline. Pure. */
import type { RenditionSegments, SegmentState } from './api';

/** A part of the timeline in seconds. */
export interface Part {
  from: number;
  to: number;
}

/** coming: it is still on its way to the server, so that nobody can make it yet. */
export type StretchState = SegmentState | 'coming';

/** A list of them covers all of the timeline, in order, and no two neighbours are alike. */
export interface Stretch extends Part {
  state: StretchState;
}

/** More marks than this are more than a seek bar has room for, and slow to lay out. */
export const MARKS_MAX = 500;

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

interface Run {
  state: StretchState;
  from: number;
  count: number;
}

/** The runs of a rendition, cut where the segments end that have arrived as a whole. */
function runsOf(r: RenditionSegments, duration: number, arrived: number | null): Run[] {
  const whole =
    arrived === null || arrived >= duration ? Infinity : Math.floor(arrived / r.segment_duration);
  return r.runs.flatMap<Run>(({ state, from, count }) => {
    const here = Math.max(0, Math.min(count, whole - from));
    if (state === 'ready' || here === count) return [{ state, from, count }];
    const rest: Run = { state: 'coming', from: from + here, count: count - here };
    return here === 0 ? [rest] : [{ state, from, count: here }, rest];
  });
}

/** open: more segments may come than are known. */
function stretchesOf(
  r: RenditionSegments,
  duration: number,
  arrived: number | null,
  open: boolean,
): Stretch[] {
  return runsOf(r, duration, arrived).map(({ state, from, count }) => {
    const end = from + count;
    // The last segment ends where the video does, be it shorter than the others or not.
    const last = end >= r.segments && !open;
    const to = last ? duration : Math.min(duration, end * r.segment_duration);
    return { state, from: Math.min(duration, from * r.segment_duration), to };
  });
}

/** All have it: ready. One has to come in: nothing helps before that. One is at it: encoding. */
function together(states: StretchState[]): StretchState {
  if (states.every((state) => state === 'ready')) return 'ready';
  if (states.includes('coming')) return 'coming';
  return states.includes('encoding') ? 'encoding' : 'missing';
}

/** The timeline of a video. duration: its length in seconds, null if nobody knows; then it
 * is as long as its segments, and what one rendition has beyond the other is still to come
 * of that. arrived: of the answer. Empty while nothing has been planned. */
export function timeline(
  renditions: readonly RenditionSegments[],
  duration: number | null,
  arrived: number | null = null,
): Stretch[] {
  const all = needed(renditions);
  const end = duration ?? Math.max(0, ...all.map(lengthOf));
  const open = duration === null;
  const beyond: StretchState = open ? 'coming' : 'missing';
  const lists = all.map((r) => stretchesOf(r, end, arrived, open).filter((s) => s.to > s.from));
  const result: Stretch[] = [];
  // All lists are walked at once, from one change to the next: there can be very many.
  const places = lists.map(() => 0);
  for (let from = 0; lists.length > 0 && from < end; from = result.at(-1)!.to) {
    const here = lists.map((list, i) => list[places[i]!]);
    const to = Math.min(...here.map((s) => s?.to ?? end));
    append(result, { from, to, state: together(here.map((s) => s?.state ?? beyond)) });
    here.forEach((s, i) => (places[i]! += s && s.to <= to ? 1 : 0));
  }
  return result;
}

function append(stretches: Stretch[], next: Stretch): void {
  const last = stretches.at(-1);
  if (last?.state === next.state) last.to = next.to;
  else stretches.push(next);
}

function at(stretches: readonly Stretch[], seconds: number): Stretch | undefined {
  return stretches.find((s) => seconds < s.to) ?? stretches.at(-1);
}

/** Whether what is seen and heard at that moment exists. */
export function isReady(stretches: readonly Stretch[], seconds: number): boolean {
  return at(stretches, seconds)?.state === 'ready';
}

/** Whether that moment is still on its way to the server. */
export function isComing(stretches: readonly Stretch[], seconds: number): boolean {
  return at(stretches, seconds)?.state === 'coming';
}

/** What is of some states, without a difference between them. */
function partsOf(stretches: readonly Stretch[], states: StretchState[]): Part[] {
  const result: Part[] = [];
  for (const { from, to, state } of stretches) {
    const last = result.at(-1);
    if (!states.includes(state)) continue;
    if (last?.to === from) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** What could be made and is not ready, be it made at the moment or not. */
export const gaps = (stretches: readonly Stretch[]) =>
  partsOf(stretches, ['encoding', 'missing']);

/** What is still on its way to the server. */
export const coming = (stretches: readonly Stretch[]) => partsOf(stretches, ['coming']);

/** What to draw for parts that are in order: those parts or, where they are too many, fewer
 * and longer ones. All of a part is always drawn; what is lost is what lies between two of
 * them and is narrower than end / MARKS_MAX. end: of the timeline, in seconds. */
export function marks(parts: readonly Part[], end: number): readonly Part[] {
  if (parts.length <= MARKS_MAX) return parts;
  const result: Part[] = [];
  for (const { from, to } of parts) {
    const last = result.at(-1);
    if (last && from - last.to < end / MARKS_MAX) last.to = to;
    else result.push({ from, to });
  }
  return result;
}

/** 0..1: how much of the timeline is ready. */
export function readyShare(stretches: readonly Stretch[]): number {
  const end = stretches.at(-1)?.to ?? 0;
  if (end === 0) return 0;
  const ready = partsOf(stretches, ['ready']);
  return ready.reduce((sum, { from, to }) => sum + (to - from), 0) / end;
}
