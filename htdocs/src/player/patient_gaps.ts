/**
 * hls.js's search for holes in what is buffered, with patience. After a wait for the network
 * it takes a decoder that has not begun again within a tick of 0.1 s for a stuck one, jumps
 * ahead, and after three jumps reports a fatal error: on a busy machine one sees and hears
 * that. A decoder that has all it needs is given time; where there is a hole, nothing changes.
 */
import Hls from 'hls.js';

/** Time for a decoder to show something of what it has. */
export const PATIENCE_MS = 3000;

/** How much is buffered from t on, in seconds; 0: t itself is not. */
function bufferedFrom({ buffered }: HTMLMediaElement, t: number): number {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= t && t < buffered.end(i)) return buffered.end(i) - t;
  }
  return 0;
}

export class PatientGaps extends Hls.DefaultConfig.gapController! {
  readonly #hls: Hls;
  /** Since when there has been enough to go on, and the position has not moved. */
  #since: number | null = null;

  constructor(...args: ConstructorParameters<NonNullable<typeof Hls.DefaultConfig.gapController>>) {
    super(...args);
    [this.#hls] = args;
  }

  override poll(currentTime: number, lastCurrentTime: number): void {
    if (!this.#isDue(currentTime === lastCurrentTime, currentTime)) return;
    super.poll(currentTime, lastCurrentTime);
  }

  #isDue(still: boolean, currentTime: number): boolean {
    const { media, config } = this.#hls;
    if (!still || !media || media.paused || bufferedFrom(media, currentTime) <= config.maxBufferHole) {
      this.#since = null;
      return true;
    }
    this.#since ??= performance.now();
    return performance.now() - this.#since >= PATIENCE_MS;
  }
}
