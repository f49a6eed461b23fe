/** A video on its own page, for people with an account: it is also changed there. */
import * as api from './api';
import { placeOf } from './media_url';
import { Shares } from './shares.svelte';
import { Showing } from './showing.svelte';
import { Standstill } from './standstill';
import { SubtitleFiles } from './subtitle_files.svelte';

/** So long a new poster is waited for. */
const POSTER_MS = 60_000;

export class Watched extends Showing<api.Video> {
  readonly id: string;
  readonly subtitles = new SubtitleFiles(this);
  readonly shares: Shares;
  #stopped = $state(false);
  #standstill = new Standstill();
  /** Whoever waits for another poster than this one. */
  #awaited: { poster: string | null; made: () => void } | null = null;

  constructor(id: string) {
    super();
    this.id = id;
    this.shares = new Shares(id);
  }

  protected override read(): Promise<api.Video> {
    return api.getVideo(this.id);
  }
  protected override readSegments(): Promise<api.Segments> {
    return api.getSegments(this.id);
  }

  /** It is still to come in, and nothing has for a while. */
  get stopped(): boolean {
    return this.#stopped;
  }

  protected override take(video: api.Video): void {
    super.take(video);
    const poster = video.poster && placeOf(video.poster);
    if (this.#awaited && poster !== this.#awaited.poster) this.#awaited.made();
    const still = this.#standstill.see(video.received, performance.now());
    this.#stopped = still && video.state === 'receiving';
  }
  protected override isEager(): boolean {
    return super.isEager() || this.#awaited !== null;
  }

  async rename(title: string): Promise<void> {
    this.replace(await api.renameVideo(this.id, title));
  }
  async setVisibility(visibility: api.Visibility): Promise<void> {
    this.replace(await api.setVisibility(this.id, visibility));
  }
  /** New keys for all who may watch it; what plays it goes on. */
  async rekey(): Promise<void> {
    this.replace(await api.rekeyVideo(this.id));
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
      this.#awaited = { poster: poster && placeOf(poster), made };
      this.kick();
    });
  }

  async remove(): Promise<void> {
    await api.deleteVideo(this.id);
    this.stop();
  }

  async retry(): Promise<void> {
    await api.retryVideo(this.id);
    this.outdate();
  }
}
