/** The one video that a page shows, kept up to date by polling. */
import type { ApiError, Segments, Watchable } from './api';
import { Poller } from './poll';
import { Readiness } from './readiness.svelte';
import { awaitsSubtitles, isActive, isCopying, isMadeAgain } from './video';

export abstract class Showing<V extends Watchable> {
  readonly readiness: Readiness;
  /** Where in it its viewer is, in seconds; stays while something else is shown in its place. */
  at = 0;
  #video = $state.raw<V | null>(null);
  #missing = $state(false);
  #problem = $state('');
  #make = $state(0);
  #turn = 0;
  #poller: Poller;

  constructor() {
    const changing = () => this.#video !== null && isActive(this.#video);
    const open = () => this.#video?.duration === null;
    this.readiness = new Readiness(() => this.readSegments(), changing, open);
    this.#poller = new Poller({ run: () => this.refresh(), active: () => this.isEager() });
  }

  /** Asks the server. */
  protected abstract read(): Promise<V>;
  protected abstract readSegments(): Promise<Segments>;

  /** null until the first answer; what it was while missing. */
  get video(): V | null {
    return this.#video;
  }
  /** There is no such video for whoever asks, or there is none any more. */
  get missing(): boolean {
    return this.#missing;
  }
  /** Why what is shown may be out of date; "" while all is well. */
  get problem(): string {
    return this.#problem;
  }
  /** Grows when the video is made again: a player of before shows what is gone. */
  get make(): number {
    return this.#make;
  }

  start(): void {
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }

  async refresh(): Promise<boolean> {
    const turn = this.#turn;
    try {
      const video = await this.read();
      if (turn === this.#turn) {
        if (isMadeAgain(this.#video, video)) this.#beginAnew();
        this.take(video);
      }
      this.#missing = false;
      this.#problem = '';
      return true;
    } catch (e) {
      this.fail(e as ApiError);
      return false;
    }
  }

  /** Where its media are by now; null: they are not for whoever asks any more. Rejects where
   * nobody says. */
  async whereIs(): Promise<string | null> {
    if (await this.refresh()) return this.#video?.media ?? null;
    if (!this.#missing) throw new Error(this.#problem);
    return null;
  }

  /** There is news of it, by another way than asking. */
  show(video: V): void {
    this.replace(video);
    this.kick();
  }

  #beginAnew(): void {
    this.#make += 1;
    this.at = 0;
  }
  protected take(video: V): void {
    this.#video = video;
  }
  /** Answers that were asked for before count no more. */
  protected replace(video: V): void {
    this.#turn += 1;
    this.#video = video;
  }
  protected kick(): void {
    this.#poller.kick();
  }
  /** It is another one by now; answers that were asked for before count no more. */
  protected outdate(): void {
    this.#turn += 1;
    this.kick();
  }
  protected fail({ status, message }: ApiError): void {
    this.#missing = status === 404 || status === 410;
    this.#problem = this.#missing ? '' : message;
    if (this.#missing) this.#poller.stop();
  }
  /** Something is about to change. */
  protected isEager(): boolean {
    const video = this.#video;
    return video !== null && (isActive(video) || isCopying(video) || awaitsSubtitles(video));
  }
}
