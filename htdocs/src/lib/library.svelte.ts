/**
 * The videos that the library page shows, kept up to date by polling. An answer that
 * was asked for before the last change of view or of a video is thrown away, so that
 * nothing deleted comes back and nothing renamed flips.
 */
import * as api from './api';
import { Poller } from './poll';
import { isActive } from './video';

const PAGE = 24;
/** The most that the server gives in one answer. */
const LIMIT = 200;
const TYPING_MS = 250;

export class Library {
  #videos = $state.raw<api.Video[]>([]);
  #next = $state<string | null>(null);
  #loaded = $state(false);
  #loadingMore = $state(false);
  #problem = $state('');
  #query = $state('');
  #sort = $state<api.Sort>('newest');
  #mine = $state(false);
  #turn = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #poller: Poller;

  /** busy: something outside the list (an upload) makes quick looks worthwhile. */
  constructor(busy: () => boolean = () => false) {
    this.#poller = new Poller({
      run: () => this.refresh(),
      active: () => busy() || this.#videos.some(isActive),
    });
  }

  get videos(): readonly api.Video[] {
    return this.#videos;
  }
  /** False until the first answer. */
  get loaded(): boolean {
    return this.#loaded;
  }
  get hasMore(): boolean {
    return this.#next !== null;
  }
  get loadingMore(): boolean {
    return this.#loadingMore;
  }
  /** Why the list may be out of date; "" while all is well. */
  get problem(): string {
    return this.#problem;
  }
  get query(): string {
    return this.#query;
  }
  set query(text: string) {
    this.#query = text;
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#view(), TYPING_MS);
  }
  get sort(): api.Sort {
    return this.#sort;
  }
  set sort(order: api.Sort) {
    this.#sort = order;
    this.#view();
  }
  /** Only one's own. */
  get mine(): boolean {
    return this.#mine;
  }
  set mine(only: boolean) {
    this.#mine = only;
    this.#view();
  }

  start(): void {
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }
  kick(): void {
    this.#poller.kick();
  }

  /** Asks again for as many as are shown. False if that failed. */
  async refresh(): Promise<boolean> {
    const turn = this.#turn;
    const wanted = Math.max(PAGE, this.#videos.length);
    const videos: api.Video[] = [];
    let next: string | null = null;
    try {
      do {
        const page: api.VideoPage = await this.#page(Math.min(LIMIT, wanted - videos.length), next);
        videos.push(...page.videos);
        next = page.next;
      } while (next !== null && videos.length < wanted);
    } catch (e) {
      if (turn === this.#turn) this.#problem = (e as Error).message;
      return false;
    }
    if (turn === this.#turn) this.#show(videos, next);
    return true;
  }

  async more(): Promise<void> {
    if (this.#next === null || this.#loadingMore) return;
    this.#loadingMore = true;
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const page = await this.#page(PAGE, this.#next);
      if (turn !== this.#turn) return;
      this.#turn += 1; // what was asked for meanwhile, too, covers fewer
      this.#show([...this.#videos, ...page.videos], page.next);
    } catch (e) {
      this.#problem = (e as Error).message;
      this.kick();
    } finally {
      this.#loadingMore = false;
    }
  }

  async rename(id: string, title: string): Promise<void> {
    const renamed = await api.renameVideo(id, title);
    this.#change(this.#videos.map((v) => (v.id === id ? renamed : v)));
  }

  async remove(id: string): Promise<void> {
    await api.deleteVideo(id);
    this.#change(this.#videos.filter((v) => v.id !== id));
  }

  async retry(id: string): Promise<void> {
    await api.retryVideo(id);
    this.#change(this.#videos);
  }

  #page(limit: number, after: string | null): Promise<api.VideoPage> {
    const view = { q: this.#query.trim(), sort: this.#sort, mine: this.#mine };
    return api.listVideos({ ...view, limit, after });
  }

  #show(videos: api.Video[], next: string | null): void {
    // A video added between two pages would otherwise be there twice, under one key.
    const seen = new Set<string>();
    this.#videos = videos.filter((v) => !seen.has(v.id) && seen.add(v.id));
    this.#next = next;
    this.#loaded = true;
    this.#problem = '';
  }

  #change(videos: api.Video[]): void {
    this.#turn += 1;
    this.#videos = videos;
    this.kick();
  }

  /** Another search, order or choice: begin at the first page. */
  #view(): void {
    this.#turn += 1;
    this.#videos = this.#videos.slice(0, PAGE);
    this.kick();
  }
}
