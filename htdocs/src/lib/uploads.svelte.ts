/** The queue of uploads: every file is checked at once, two are sent at a time. */
import { sendOn, sendWhole } from './route';
import { newUploadId } from './send';
import { prepareRest } from './send_rest';
import { Upload, type UploadHost, type UploadMemory } from './upload.svelte';

const AT_ONCE = 2;

const browserUploads: UploadHost = {
  whole: sendWhole,
  rest: sendOn,
  newId: newUploadId,
  now: () => performance.now(),
};

export class Uploads {
  #items = $state.raw<Upload[]>([]);
  #nextKey = 0;
  #memory: UploadMemory;
  #host: UploadHost;
  #moved: () => void;

  /** moved is called when an upload begins or ends: what the server has is another. */
  constructor(
    memory: UploadMemory,
    moved: () => void = () => {},
    host: UploadHost = browserUploads,
  ) {
    this.#memory = memory;
    this.#moved = moved;
    this.#host = host;
  }

  get items(): readonly Upload[] {
    return this.#items;
  }
  get pending(): boolean {
    return this.#items.some((u) => u.pending);
  }
  get pendingCount(): number {
    return this.#items.filter((u) => u.pending).length;
  }
  /** The connection is lost, as far as is known. */
  get lost(): boolean {
    return this.#items.some((u) => u.state === 'lost');
  }
  /** Of all the bytes that are on their way, the part that has left. */
  get share(): number {
    const pending = this.#items.filter((u) => u.pending);
    const size = pending.reduce((sum, u) => sum + u.file.size, 0);
    return size > 0 ? pending.reduce((sum, u) => sum + u.sent, 0) / size : 0;
  }
  /** Something can be taken off the list without losing it. */
  get clearable(): boolean {
    return this.#items.some((u) => u.state === 'done' || u.state === 'refused');
  }

  /** What is lost goes on as soon as the browser says that the network is back; returns how
   * to stop that. */
  start(page: Pick<Window, 'addEventListener' | 'removeEventListener'> = window): () => void {
    const hurry = () => this.#items.forEach((u) => u.hurry());
    page.addEventListener('online', hurry);
    prepareRest();
    return () => page.removeEventListener('online', hurry);
  }

  add(files: Iterable<File>): void {
    const added: Upload[] = [];
    for (const file of files) {
      added.push(this.#make(file));
    }
    this.#items = [...this.#items, ...added];
    for (const upload of added) void upload.check();
  }

  /** Takes the upload off the list, stopping it if it is under way. */
  cancel(upload: Upload): void {
    upload.cancel();
    this.#items = this.#items.filter((u) => u !== upload);
    this.#moved();
    this.#startMore();
  }

  retry(upload: Upload): void {
    upload.retry();
  }

  /** Somebody has signed in: what was barred is tried again. */
  resume(): void {
    for (const upload of this.#items) upload.resume();
  }

  /** Whoever sends them is gone from this page. */
  leave(): void {
    for (const upload of this.#items) upload.leave();
    this.#items = [];
  }

  clear(): void {
    this.#items = this.#items.filter((u) => u.state !== 'done' && u.state !== 'refused');
  }

  #make(file: File): Upload {
    this.#nextKey += 1;
    return new Upload(this.#nextKey, file, this.#host, this.#memory, (u) => this.#changed(u));
  }

  #changed(upload: Upload): void {
    if (['sending', 'done', 'failed'].includes(upload.state)) this.#moved();
    this.#startMore();
  }

  #startMore(): void {
    let free = AT_ONCE - this.#items.filter((u) => u.underWay).length;
    for (const upload of this.#items) {
      if (free <= 0) break;
      if (upload.state !== 'waiting') continue;
      free -= 1;
      upload.start();
    }
  }
}
