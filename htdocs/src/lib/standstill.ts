/** Whether an upload that somebody else makes still comes in: all that its watchers can see
 * of that is that nothing more has come for a while. */

/** While something comes, the server says so once a second. */
export const STANDSTILL_MS = 6000;

export class Standstill {
  #bytes = -1;
  #since = 0;

  /** bytes: that have come by now (ms). True: none have come for a while. */
  see(bytes: number, now: number): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#since = now;
    }
    return now - this.#since >= STANDSTILL_MS;
  }
}
