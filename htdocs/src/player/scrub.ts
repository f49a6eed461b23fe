/**
 * Thins out the seeks of a person who drags the seek bar: a slider speaks with every
 * pixel, and each seek would be a request, or the start of an encoder.
 */

/** Where things are ready the picture follows the hand, at most this often. */
export const PACE_MS = 100;
/** Where they are not, only a hand that rests for so long means what it points at. */
export const REST_MS = 200;

/** What it needs of the browser; a test has its own. */
export interface ScrubHost {
  later(fn: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
}

const browserHost: ScrubHost = {
  later: (fn, ms) => setTimeout(fn, ms),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export class Scrub {
  #pressed = false;
  #fresh = false;
  #paced = false;
  #target: number | null = null;
  #timer: unknown = null;

  /** send: does the seek. ready: whether a moment can be shown without anything being made. */
  constructor(
    private readonly send: (seconds: number) => void,
    private readonly ready: (seconds: number) => boolean,
    private readonly host: ScrubHost = browserHost,
  ) {}

  press(): void {
    this.#pressed = true;
    this.#fresh = true;
  }

  /** What was held back is done now: this is where the hand has let go. */
  release(): void {
    this.#pressed = false;
    this.#paced = false;
    this.host.cancel(this.#timer);
    this.#flush();
  }

  /** What was held back is not wanted any more: its player is gone. */
  stop(): void {
    this.#pressed = false;
    this.#paced = false;
    this.#target = null;
    this.host.cancel(this.#timer);
  }

  seek(seconds: number): void {
    // A click, and a key, are done at once.
    if (!this.#pressed || this.#fresh) {
      this.#fresh = false;
      this.send(seconds);
      return;
    }
    this.#target = seconds;
    const ready = this.ready(seconds);
    if (ready && this.#paced) return;
    this.#paced = ready;
    this.host.cancel(this.#timer);
    this.#timer = this.host.later(() => this.#due(), ready ? PACE_MS : REST_MS);
  }

  #due(): void {
    this.#paced = false;
    this.#flush();
  }

  #flush(): void {
    const target = this.#target;
    this.#target = null;
    if (target !== null) this.send(target);
  }
}
