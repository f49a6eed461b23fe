/** The small pictures of the seek bar, kept up to date: sheets are published as they are
 * made, and others take their place when the video is made again. */
import * as api from './api';
import { Poller, type PollHost } from './poll';

/** When the last cue of a WebVTT text ends, in seconds; 0 if there is none. */
export function endOf(text: string): number {
  const times = [...text.matchAll(/--> (\d+):(\d\d):(\d\d\.\d{3})$/gm)].at(-1);
  if (!times) return 0;
  const [, hours, minutes, seconds] = times.map(Number) as [number, number, number, number];
  return 3600 * hours + 60 * minutes + seconds;
}

/** Unchanged for so long, a part of a storyboard is looked at slowly. */
export const LIVELY_MS = 60_000;
/** Unchanged for so long, it is taken to be all there will be: the job has given up. */
export const QUIET_MS = 600_000;

/** What it has to know of its video by now. */
export type Boarded = Pick<api.Video, 'state' | 'duration'>;

export class Storyboard {
  #url: string;
  #text = '';
  #version = 0;
  #src = $state<string | null>(null);
  #poller: Poller;
  #changed = 0;
  #answered = false;
  /** What is there is of this make of the video, and not what another one will replace. */
  #current = false;

  /** video: asked before each pause. now: milliseconds of a clock. */
  constructor(
    url: string,
    private readonly video: () => Boarded,
    host?: PollHost,
    private readonly now = () => performance.now(),
  ) {
    this.#url = url;
    const active = () => !this.#whole() && this.#quiet() < LIVELY_MS;
    this.#poller = new Poller(
      { run: () => this.#refresh(), active, over: () => this.#over() },
      host,
    );
  }

  /** Another one each time that the text is; null until there is any. */
  get src(): string | null {
    return this.#src;
  }

  /** Begins anew: the video may be another make of it, with pictures of its own to come. */
  start(): void {
    this.#changed = this.now();
    this.#answered = false;
    this.#current = false;
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }

  /** The same pictures are at another address now. */
  moveTo(url: string): void {
    if (url === this.#url) return;
    this.#url = url;
    if (this.#text !== '') this.#renew();
    this.#poller.kick();
  }

  #whole(): boolean {
    const { duration } = this.video();
    return duration !== null && endOf(this.#text) >= duration - 0.01;
  }
  #quiet(): number {
    return this.now() - this.#changed;
  }
  /** Pictures are made while the video is, and a while longer. */
  #over(): boolean {
    const { state } = this.video();
    if (state !== 'ready') return state === 'failed';
    return (this.#whole() && this.#current) || this.#quiet() >= QUIET_MS;
  }

  async #refresh(): Promise<boolean> {
    try {
      this.#take(await api.getStoryboard(this.#url));
      return true;
    } catch {
      // The seek bar does without; what it has stays.
      return this.#quiet() >= QUIET_MS;
    }
  }

  #take(text: string): void {
    const changed = text !== this.#text;
    this.#current ||= this.#answered ? changed : this.video().state === 'ready';
    this.#answered = true;
    if (!changed) return;
    this.#text = text;
    this.#changed = this.now();
    this.#renew();
  }

  #renew(): void {
    this.#version += 1;
    this.#src = `${this.#url}?n=${this.#version}`;
  }
}
