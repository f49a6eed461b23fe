/** The queue of uploads: every file is checked at once, two are sent at a time. */
import { newUploadId, send } from './send';
import { Upload, type UploadHost } from './upload.svelte';

export const AT_ONCE = 2;

export const browserUploads: UploadHost = {
  send,
  newId: newUploadId,
  now: () => performance.now(),
};

export class Uploads {
  #items = $state.raw<Upload[]>([]);
  #nextKey = 0;
  #host: UploadHost;
  #moved: () => void;

  /** moved is called when an upload begins or ends: what the server has is another. */
  constructor(moved: () => void = () => {}, host: UploadHost = browserUploads) {
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

  add(files: Iterable<File>): void {
    const added: Upload[] = [];
    for (const file of files) {
      this.#nextKey += 1;
      added.push(new Upload(this.#nextKey, file, this.#host, (u) => this.#changed(u)));
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

  clear(): void {
    this.#items = this.#items.filter((u) => u.state !== 'done' && u.state !== 'refused');
  }

  #changed(upload: Upload): void {
    if (['sending', 'done', 'failed'].includes(upload.state)) this.#moved();
    this.#startMore();
  }

  #startMore(): void {
    let free =
      AT_ONCE - this.#items.filter((u) => u.state === 'sending' || u.state === 'finishing').length;
    for (const upload of this.#items) {
      if (free <= 0) break;
      if (upload.state !== 'waiting') continue;
      free -= 1;
      upload.start();
    }
  }
}
