/** What to do about a fatal error of hls.js, and how soon. Pure but for what it remembers. */

/** Before the same is tried again. */
export const RESTART_MS = 1000;
/** The longest wait before the source is loaded anew; each wait is twice the last. */
export const RELOAD_MAX_MS = 30_000;
/** Decoding errors in a row until this browser counts as unable. */
export const RECOVERIES = 3;
/** So long without one, and earlier decoding errors are forgotten. */
export const FORGET_BROKEN_MS = 30_000;
/** Likewise for what is gone; more than the longest wait, or that would end every streak. */
export const FORGET_GONE_MS = 90_000;

export interface Failure {
  /** hls.js's ErrorTypes. */
  type: string;
  /** The HTTP status; undefined where there was no answer. */
  code?: number | undefined;
  /** The master playlist has been read. */
  started: boolean;
}

export interface Treatment {
  /** restart: go on loading; reload: read the playlists anew, as what they named is gone. */
  cure: 'restart' | 'reload' | 'recover' | 'give up';
  delayMs: number;
}

/** A promised segment that is not made yet is a 503. One that is gone means that the
 * video was made again, with other segments, since its playlists were read. */
export const isGone = (code: number | undefined) => code === 404 || code === 410;

/** Counts events that follow each other closely. */
class Streak {
  #count = 0;
  #last = -Infinity;

  constructor(private readonly forgetMs: number) {}

  next(now: number): number {
    this.#count = now - this.#last > this.forgetMs ? 1 : this.#count + 1;
    this.#last = now;
    return this.#count;
  }
}

export class Nurse {
  #gone = new Streak(FORGET_GONE_MS);
  #broken = new Streak(FORGET_BROKEN_MS);

  /** now: milliseconds of a clock that does not jump. */
  treat(failure: Failure, now: number): Treatment {
    const { type, code, started } = failure;
    if (type === 'mediaError') {
      const cure = this.#broken.next(now) <= RECOVERIES ? 'recover' : 'give up';
      return { cure, delayMs: 0 };
    }
    if (type !== 'networkError') return { cure: 'give up', delayMs: 0 };
    if (isGone(code)) {
      const wait = RESTART_MS * 2 ** (this.#gone.next(now) - 1);
      return { cure: 'reload', delayMs: Math.min(wait, RELOAD_MAX_MS) };
    }
    return { cure: started ? 'restart' : 'reload', delayMs: RESTART_MS };
  }
}
