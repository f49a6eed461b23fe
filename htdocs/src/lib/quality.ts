/** Which of a video's pictures can be chosen, and what they are called. Pure. */
import type { Rendition } from './api';

/** Of a level of the player: its place in the player's list, and which rendition it is. */
export interface LevelInfo {
  index: number;
  name: string;
  /** Of its playlist. */
  url: string;
  width: number;
  height: number;
  bitrate: number;
}

export const AUTO = 'auto';

/** The rendition that a playlist's address belongs to; "" if it is none of ours. */
export function renditionOf(url: string): string {
  return /\/([^/]+)-\d+\/index\.m3u8(?:[?#]|$)/.exec(url)?.[1] ?? '';
}

/** Whether a rendition can be played now. What a video begins with, and its source, are made
 * in no time where someone wants them; all else has to be there. */
function isPlayable(r: Rendition, first: Rendition): boolean {
  if (r.segments === 0) return false;
  return r === first || r.name === 'source' || r.done === r.segments;
}

/** The names of all that can be played now. */
export function playableNames(renditions: readonly Rendition[]): Set<string> {
  const pictures = renditions.filter((r) => r.kind === 'video');
  const first = pictures[0];
  if (!first) return new Set();
  return new Set(pictures.filter((r) => isPlayable(r, first)).map((r) => r.name));
}

/** The names of those that make room until somebody wants them: that is for a person to say,
 * as they have to be made again. */
export function restingNames(renditions: readonly Rendition[]): Set<string> {
  return new Set(renditions.filter((r) => r.put_away === true).map((r) => r.name));
}

/** Whether two answers say the same of what can be chosen. */
export function sameChoice(a: readonly Rendition[], b: readonly Rendition[]): boolean {
  const alike = (r: Rendition, s: Rendition) =>
    r.name === s.name && r.kind === s.kind && r.segments === s.segments && r.done === s.done &&
    r.put_away === s.put_away;
  return a.length === b.length && a.every((r, i) => alike(r, b[i]!));
}

/** The playable level that is nearest to one, rather below it than above; -1: none is. */
export function nearestPlayable(
  index: number,
  levels: readonly LevelInfo[],
  playable: ReadonlySet<string>,
): number {
  const can = levels.filter((l) => playable.has(l.name));
  const below = can.filter((l) => l.index <= index);
  return (below.at(-1) ?? can[0])?.index ?? -1;
}

/** "720p", or "Source (1080p)". */
export function levelLabel(level: LevelInfo): string {
  const side = `${Math.min(level.width, level.height)}p`;
  return level.name === 'source' ? `Source (${side})` : level.name;
}

export interface Choice {
  value: string;
  label: string;
  /** Why it cannot be chosen, or not yet; "" if it can. */
  wait: string;
}

/** What a person can choose from, the best first and "Auto" last. */
export function choices(
  levels: readonly LevelInfo[],
  choosable: ReadonlySet<string>,
  renditions: readonly Rendition[],
  broken: ReadonlySet<string> = new Set(),
): Choice[] {
  const result = [...levels].reverse().map((level) => {
    const r = renditions.find(({ name }) => name === level.name);
    const share = r && r.segments > 0 ? Math.floor((100 * r.done) / r.segments) : 0;
    const making = choosable.has(level.name) ? '' : `in the making, ${share} %`;
    const wait = broken.has(level.name) ? 'cannot be decoded' : making;
    return { value: level.name, label: levelLabel(level), wait };
  });
  return [...result, { value: AUTO, label: 'Auto', wait: '' }];
}
