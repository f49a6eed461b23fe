/**
 * Asking again and again, politely: never twice at once, quickly only while there is
 * something to see, and at once when the page comes back into view.
 */
export const FAST_MS = 1000;
export const SLOW_MS = 10_000;
/** After a failure: a server that restarts is noticed soon. */
export const RETRY_MS = 3000;

/** What the poller needs of the browser; a test has its own. */
export interface PollHost {
  visible(): boolean;
  /** Calls back when visibility changes; returns how to stop that. */
  onVisibility(changed: () => void): () => void;
  later(fn: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
}

export const browserHost: PollHost = {
  visible: () => document.visibilityState === 'visible',
  onVisibility(changed) {
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  },
  later: (fn, ms) => setTimeout(fn, ms),
  cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export interface PollTask {
  /** Resolves to false if it failed; must not reject. */
  run(): Promise<boolean>;
  /** True while something changes that a person would want to see. */
  active(): boolean;
  /** True once nothing can change by itself: asked after each success. Then there is no
   * next time but by a kick, or when the page comes back into view. */
  over?(): boolean;
  /** Then it is asked again after so many milliseconds all the same, seen or not. */
  restMs?: number;
}

export class Poller {
  #timer: unknown = null;
  #running = false;
  #again = false;
  #stopWatching: (() => void) | null = null;

  constructor(
    private readonly task: PollTask,
    private readonly host: PollHost = browserHost,
  ) {}

  start(): void {
    if (this.#stopWatching) return;
    this.#stopWatching = this.host.onVisibility(() => {
      if (this.host.visible()) this.kick();
    });
    this.kick();
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#again = false;
    this.host.cancel(this.#timer);
  }

  /** Asks now, or right after the answer that is under way. */
  kick(): void {
    if (!this.#stopWatching) return;
    this.host.cancel(this.#timer);
    if (this.#running) this.#again = true;
    else void this.#round();
  }

  async #round(): Promise<void> {
    this.#running = true;
    const fine = await this.task.run();
    this.#running = false;
    if (!this.#stopWatching) return;
    if (this.#again) {
      this.#again = false;
      void this.#round();
      return;
    }
    const ms = this.#delay(fine);
    if (ms !== null) this.#timer = this.host.later(() => void this.#round(), ms);
  }

  /** null: never. */
  #delay(fine: boolean): number | null {
    if (fine && this.task.over?.()) return this.task.restMs ?? null;
    if (!this.host.visible()) return SLOW_MS;
    if (!fine) return RETRY_MS;
    return this.task.active() ? FAST_MS : SLOW_MS;
  }
}
