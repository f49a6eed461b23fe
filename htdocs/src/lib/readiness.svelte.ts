/** What of a video is ready, kept up to date by polling until all of it is, and is known, or
 * nothing is made of it any more. */
import type * as api from './api';
import { Poller, type PollHost } from './poll';
import { isComplete, timeline, type Stretch } from './readiness';

export class Readiness {
  #answer = $state.raw<api.Segments | null>(null);
  #turn = 0;
  #poller: Poller;
  #open: () => boolean;

  /** read: asks the server. changing: whether anything is being made; asked before each pause.
   * open: whether nobody knows yet how long the video is, so that more may come when all that
   * is known is ready. */
  constructor(
    private readonly read: () => Promise<api.Segments>,
    changing: () => boolean,
    open: () => boolean,
    host?: PollHost,
  ) {
    this.#open = open;
    const task = { run: () => this.#refresh(), active: changing, over: () => !changing() };
    this.#poller = new Poller(task, host);
  }

  /** null until the first answer. duration: see timeline(). */
  stretches(duration: number | null): Stretch[] | null {
    return this.#answer && timeline(this.#answer.renditions, duration, this.arrived);
  }
  /** Seconds of the timeline that have come in; null: all, or nobody knows. */
  get arrived(): number | null {
    return this.#answer?.arrived ?? null;
  }

  /** Begins anew: what was known may have been of another make of the video. */
  start(): void {
    this.#turn += 1;
    this.#answer = null;
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }
  /** Someone is about to want what may have come to be a moment ago. */
  kick(): void {
    this.#poller.kick();
  }

  async #refresh(): Promise<boolean> {
    const turn = this.#turn;
    try {
      const answer = await this.read();
      if (turn !== this.#turn) return true;
      this.#answer = answer;
      if (isComplete(answer.renditions) && !this.#open()) this.#poller.stop();
      return true;
    } catch {
      // The page says itself when the server does not answer; what was known stays true.
      return false;
    }
  }
}
