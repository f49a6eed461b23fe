/**
 * The speed of a transfer over the last few seconds: young enough to follow a change,
 * old enough not to jitter. The caller says what time it is.
 */
const WINDOW_MS = 6000;

export class RateMeter {
  #samples: { at: number; bytes: number }[] = [];

  /** bytes: how many there are by now, in all. */
  add(atMs: number, bytes: number): void {
    this.#samples.push({ at: atMs, bytes });
    // One sample older than the window stays, so that the window is always covered.
    while (this.#samples.length > 2 && this.#samples[1]!.at <= atMs - WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** Bytes per second; 0 until two moments are known. */
  get perSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at <= first.at) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}
