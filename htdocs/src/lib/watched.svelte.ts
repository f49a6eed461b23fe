/** The one video that the watch page shows, kept up to date by polling. */
import * as api from './api';
import { Poller } from './poll';
import { Readiness } from './readiness.svelte';
import { Standstill } from './standstill';
import { SubtitleFiles } from './subtitle_files.svelte';
import { awaitsSubtitles, isActive, isCopying, isMadeAgain } from './video';

/** So long a new poster is waited for. */
const POSTER_MS = 60_000;

export class Watched {
  readonly id: string;
  readonly readiness: Readiness;
  readonly subtitles = new SubtitleFiles(this);
  #video = $state.raw<api.Video | null>(null);
  #missing = $state(false);
  #problem = $state('');
  #make = $state(0);
  #stopped = $state(false);
  #standstill = new Standstill();
  #turn = 0;
  #poller: Poller;
  /** Whoever waits for another poster than this one. */
  #awaited: { poster: string | null; made: () => void } | null = null;

  constructor(id: string) {
    this.id = id;
    const active = () => this.#video !== null && isActive(this.#video);
    const comes = (video: api.Video) => isCopying(video) || awaitsSubtitles(video);
    this.#poller = new Poller({
      run: () => this.refresh(),
      active: () =>
        active() || this.#awaited !== null || (this.#video !== null && comes(this.#video)),
    });
    const open = () => this.video?.duration === null;
    this.readiness = new Readiness(id, active, open);
  }

  /** null until the first answer. */
  get video(): api.Video | null {
    return this.#video;
  }
  /** There is no such video, or there is none any more. */
  get missing(): boolean {
    return this.#missing;
  }
  /** Why what is shown may be out of date; "" while all is well. */
  get problem(): string {
    return this.#problem;
  }

  /** It is still to come in, and nothing has for a while. */
  get stopped(): boolean {
    return this.#stopped;
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
      const video = await api.getVideo(this.id);
      if (turn === this.#turn) {
        if (isMadeAgain(this.#video, video)) this.#make += 1;
        this.#video = video;
        if (this.#awaited && video.poster !== this.#awaited.poster) this.#awaited.made();
        this.#stopped =
          this.#standstill.see(video.received, performance.now()) && video.state === 'receiving';
      }
      this.#missing = false;
      this.#problem = '';
      return true;
    } catch (e) {
      const error = e as api.ApiError;
      this.#missing = error.status === 404 || error.status === 410;
      this.#problem = this.#missing ? '' : error.message;
      if (this.#missing) this.#poller.stop();
      return false;
    }
  }

  /** There is news of it, by another way than asking. */
  show(video: api.Video): void {
    this.#turn += 1;
    this.#video = video;
    this.#poller.kick();
  }

  async rename(title: string): Promise<void> {
    const renamed = await api.renameVideo(this.id, title);
    this.#turn += 1;
    this.#video = renamed;
  }

  /** Has the picture of that moment made the poster; resolves when it is. */
  async takePoster(seconds: number): Promise<void> {
    const { poster } = await api.choosePoster(this.id, seconds);
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#awaited = null;
        reject(new Error('It takes longer than it should. The log says why.'));
      }, POSTER_MS);
      const made = () => {
        this.#awaited = null;
        clearTimeout(late);
        resolve();
      };
      this.#awaited = { poster, made };
      this.#poller.kick();
    });
  }

  async remove(): Promise<void> {
    await api.deleteVideo(this.id);
    this.#poller.stop();
  }

  async retry(): Promise<void> {
    await api.retryVideo(this.id);
    this.#turn += 1;
    this.#poller.kick();
  }
}
