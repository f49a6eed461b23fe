/** The pictures that a player can choose from: what hls.js knows of them, and what a person
 * has chosen. */
import type Hls from 'hls.js';
import { untrack } from 'svelte';

import type { Rendition } from '../lib/api';
import {
  AUTO,
  choices,
  levelLabel,
  nearestPlayable,
  playableNames,
  renditionOf,
  restingNames,
  sameChoice,
  type Choice,
  type LevelInfo,
} from '../lib/quality';
import { pickyAbrOf } from './picky_abr';

export class Quality {
  #levels = $state.raw<LevelInfo[]>([]);
  #renditions = $state.raw<readonly Rendition[]>([]);
  #playing = $state(-1);
  #choice = $state(AUTO);
  /** Addresses of copies in which this browser came upon something that it cannot decode. A
   * copy that is made again has another one. */
  #broken = $state.raw<ReadonlySet<string>>(new Set());
  /** What was put away to make room when the page found it so: it can be chosen, also while it
   * is made again for that. */
  #resting = $state.raw<ReadonlySet<string>>(new Set());
  #hls: Hls | null = null;

  /** "auto", or the name of a rendition. */
  get choice(): string {
    return this.#choice;
  }
  get choices(): Choice[] {
    return choices(this.#levels, this.#choosable(), this.#renditions, this.#brokenNames());
  }
  /** There is something to choose from. */
  get matters(): boolean {
    return this.#levels.length > 1;
  }
  /** What is shown at the moment; "" before the first picture. */
  get playing(): string {
    const level = this.#levels.find((l) => l.index === this.#playing);
    return level ? levelLabel(level) : '';
  }

  /** Runs for every new instance of hls.js. */
  follow(hls: Hls, events: typeof Hls.Events): void {
    this.#hls = hls;
    this.#playing = -1;
    hls.on(events.MANIFEST_PARSED, () => this.#read());
    // A level that fails for good is taken out of the list, and the others move up.
    hls.on(events.LEVELS_UPDATED, () => this.#read());
    hls.on(events.LEVEL_SWITCHED, (_event, { level }) => (this.#playing = level));
    hls.on(events.ERROR, (_event, { fatal, type, details }) => {
      if (!fatal || type !== 'mediaError') return;
      // What cannot be decoded is being shown; what cannot be appended was just loaded.
      const decoding = details === 'internalException';
      this.#avoid(decoding ? [this.#playing] : [this.#playing, hls.loadLevel]);
    });
    const abr = pickyAbrOf(hls);
    if (abr) abr.instead = (index) => this.#instead(index);
  }

  /** What is known of the renditions by now: the same again changes nothing. */
  know(renditions: readonly Rendition[]): void {
    // Whoever tells so in an effect is not to be told by it of what this reads and writes.
    untrack(() => this.#know(renditions));
  }

  choose(name: string): void {
    const level = name === AUTO ? undefined : this.#indexOf(name);
    this.#choice = level ? name : AUTO;
    // From the next segment on: what is being shown goes on until that is there.
    if (this.#hls) this.#hls.nextLevel = level ? level.index : -1;
  }

  /** What is damaged in a file is so in its copy, and made good in what was encoded. */
  #avoid(levels: readonly number[]): void {
    const copy = this.#levels.find((l) => l.name === 'source' && levels.includes(l.index));
    if (!copy || this.#levels.length < 2) return;
    this.#broken = new Set([...this.#broken, copy.url]);
    this.#cap();
    if (this.#choice === copy.name) this.choose(AUTO);
  }
  #brokenNames(): Set<string> {
    return new Set(this.#levels.filter((l) => this.#broken.has(l.url)).map((l) => l.name));
  }
  #playable(): Set<string> {
    const names = playableNames(this.#renditions);
    for (const name of this.#brokenNames()) names.delete(name);
    return names;
  }

  #choosable(): Set<string> {
    return new Set([...this.#playable(), ...this.#resting]);
  }

  #know(renditions: readonly Rendition[]): void {
    if (sameChoice(renditions, this.#renditions)) return;
    this.#renditions = renditions;
    this.#resting = new Set([...this.#resting, ...restingNames(renditions)]);
    this.#cap();
    const wanted = this.#choice;
    if (wanted !== AUTO && this.#levels.length > 0 && !this.#indexOf(wanted)) this.choose(AUTO);
  }
  #indexOf(name: string): LevelInfo | undefined {
    const can = this.#choosable();
    return this.#levels.find((l) => l.name === name && can.has(name));
  }
  #instead(index: number): number {
    return nearestPlayable(index, this.#levels, this.#playable());
  }
  #read(): void {
    this.#levels = (this.#hls?.levels ?? []).map((level, index) => ({
      index,
      name: renditionOf(level.uri),
      url: level.uri,
      width: level.width,
      height: level.height,
      bitrate: level.bitrate,
    }));
    this.#cap();
    if (this.#choice !== AUTO) this.choose(this.#choice);
  }
  #cap(): void {
    if (this.#hls && this.#levels.length > 0)
      this.#hls.autoLevelCapping = this.#instead(this.#levels.length - 1);
  }
}
