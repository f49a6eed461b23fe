/**
 * hls.js's choice of a level, but only among those that can be played by now. player.m3u8
 * lists all that is planned, since hls.js never reads a master twice; a cap alone would not
 * do, as the source can be played before the rungs below it.
 */
import { AbrController } from 'hls.js';
import type Hls from 'hls.js';

const made = new WeakMap<Hls, PickyAbr>();

export class PickyAbr extends AbrController {
  /** The level to take in place of another; -1: no other. Set by who knows what is ready. */
  instead: (level: number) => number = (level) => level;

  constructor(hls: Hls) {
    super(hls);
    made.set(hls, this);
  }

  #allowed(level: number): number {
    const other = level < 0 ? level : this.instead(level);
    return other < 0 ? level : other;
  }

  override get nextAutoLevel(): number {
    return this.#allowed(super.nextAutoLevel);
  }
  override set nextAutoLevel(level: number) {
    super.nextAutoLevel = this.#allowed(level);
  }
}

/** The one that an instance of hls.js was made with. */
export const pickyAbrOf = (hls: Hls): PickyAbr | undefined => made.get(hls);

/** Where hls.js sets a level past its own choice, as in an emergency. */
export function guardLevels(hls: Hls, events: typeof Hls.Events): void {
  hls.on(events.LEVEL_SWITCHING, (_event, { level }) => {
    const other = hls.autoLevelEnabled ? (pickyAbrOf(hls)?.instead(level) ?? -1) : -1;
    if (other >= 0 && other !== level) hls.nextLoadLevel = other;
  });
}
