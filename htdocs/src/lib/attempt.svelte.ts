/** Something that a person tries: it may fail for a reason that can be said, and the server may
 * want some time to pass before the next try. */
import type { ApiError } from './api';
import { Pause } from './pause.svelte';

export class Attempt {
  #working = $state(false);
  #problem = $state('');
  #pause = new Pause();

  get working(): boolean {
    return this.#working;
  }
  /** A sentence; "" while there is nothing to say. */
  get problem(): string {
    return this.#problem;
  }
  /** Seconds until the next try; 0: now. */
  get wait(): number {
    return this.#pause.left;
  }
  /** False while it is tried already, or may not be. */
  get ready(): boolean {
    return !this.#working && this.wait === 0;
  }

  /** True if it succeeded. Does nothing unless it is ready. */
  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (!this.ready) return false;
    this.#working = true;
    this.#problem = '';
    try {
      await act();
      return true;
    } catch (e) {
      const { message, retryAfter = 0 } = e as ApiError;
      this.#problem = message;
      if (retryAfter > 0) this.#pause.start(Math.ceil(retryAfter), () => (this.#problem = ''));
      return false;
    } finally {
      this.#working = false;
    }
  }

  /** What was wrong is of no interest any more. */
  dismiss(): void {
    this.#problem = '';
  }
  stop(): void {
    this.#pause.stop();
  }
}
