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

export class Storyboard {
  #url: string;
  #text = '';
  #version = 0;
  #src = $state<string | null>(null);
  #poller: Poller;

  /** duration: of the video in seconds, asked before each pause; null: not known. */
  constructor(url: string, duration: () => number | null, host?: PollHost) {
    this.#url = url;
    const active = () => endOf(this.#text) < (duration() ?? 0) - 0.01;
    this.#poller = new Poller({ run: () => this.#refresh(), active }, host);
  }

  /** Another one each time that the text is; null until there is any. */
  get src(): string | null {
    return this.#src;
  }

  start(): void {
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }

  async #refresh(): Promise<boolean> {
    try {
      const text = await api.getStoryboard(this.#url);
      if (text === this.#text) return true;
      this.#text = text;
      this.#version += 1;
      this.#src = `${this.#url}?n=${this.#version}`;
      return true;
    } catch {
      // The seek bar does without; what it has stays.
      return false;
    }
  }
}
