/**
 * Uploads that are not finished: those that this page is busy with, and those that a page
 * was busy with that is gone. The latter are shown, and go on when their file is picked
 * again.
 */
import type { ApiError } from './api';
import { isSameFile, type FileFacts } from './fingerprint';
import { browserShelf, Notebook, type Note, type Shelf } from './notebook';
import { Neighbours, type Channel } from './neighbours';
import { browserHost, Poller, type PollHost } from './poll';
import { deleteUpload, uploadOffset } from './upload_api';

export interface Unfinished {
  uploadId: string;
  name: string;
  size: number;
  /** Bytes that the server has; null: it did not say. */
  received: number | null;
}

/** What there is to know and to do outside the page; a test has its own. */
export interface UnfinishedHost {
  shelf: Shelf;
  channel?: Channel;
  offset(uploadId: string): Promise<number>;
  remove(uploadId: string): Promise<void>;
}

const browserUnfinished = (): UnfinishedHost => ({
  shelf: browserShelf(),
  offset: uploadOffset,
  remove: deleteUpload,
});

/** The server has answered, and what it says will not change, also if somebody signs in. */
const isSignedOut = ({ status }: ApiError) => status === 401 || status === 403;
const isRefusal = (e: ApiError) => e.status >= 400 && e.status < 500 && !isSignedOut(e);
const isGone = ({ status }: ApiError) => status === 404 || status === 410;

export class UnfinishedUploads {
  #items = $state.raw<Unfinished[]>([]);
  #mine = new Set<string>();
  /** What the server has to be asked or told again. */
  #open = new Set<string>();
  #book: Notebook;
  #neighbours: Neighbours;
  #host: UnfinishedHost;

  /** of: see Notebook. */
  constructor(of = '', host: UnfinishedHost = browserUnfinished()) {
    this.#host = host;
    this.#book = new Notebook(host.shelf, of);
    this.#neighbours = new Neighbours(() => [...this.#mine], host.channel);
  }

  /** Those that nobody is busy with. */
  get items(): readonly Unfinished[] {
    return this.#items;
  }

  /** Looks now, whenever another page or the network says that something is new, and
   * until the server has answered; returns how to stop. */
  start(
    page: Pick<Window, 'addEventListener' | 'removeEventListener'> = window,
    host: PollHost = browserHost,
  ): () => void {
    const look = async () => {
      await this.refresh();
      return this.#open.size === 0;
    };
    const poller = new Poller({ run: look, active: () => false, over: () => true }, host);
    const types = ['storage', 'online'];
    const kick = () => poller.kick();
    for (const type of types) page.addEventListener(type, kick);
    poller.start();
    return () => {
      types.forEach((type) => page.removeEventListener(type, kick));
      poller.stop();
    };
  }

  async refresh(): Promise<void> {
    const busy = await this.#neighbours.busy();
    const notes = this.#book.all().filter((n) => !busy.has(n.uploadId));
    this.#open.clear();
    const found = await Promise.all(notes.map((n) => this.#ask(n)));
    const still = new Set(this.#book.all().map((n) => (n.forgotten ? '' : n.uploadId)));
    this.#items = found.filter(
      (u): u is Unfinished => u !== null && still.has(u.uploadId) && !this.#mine.has(u.uploadId),
    );
  }

  /** The unfinished upload of this very file, which is this page's from now on; else "". */
  async claim(facts: FileFacts): Promise<string> {
    const isIt = (n: Note) =>
      !n.forgotten && !this.#mine.has(n.uploadId) && isSameFile(n, facts);
    if (!this.#book.all().some(isIt)) return '';
    const busy = await this.#neighbours.busy();
    const note = this.#book.all().find((n) => isIt(n) && !busy.has(n.uploadId));
    if (!note) return '';
    this.#take(note.uploadId);
    return note.uploadId;
  }

  /** This page has begun an upload. */
  remember(uploadId: string, facts: FileFacts): void {
    this.#book.put({ ...facts, uploadId });
    this.#take(uploadId);
  }

  /** An upload is over: the server has all of it, or wants none of it. */
  drop(uploadId: string): void {
    this.#book.remove(uploadId);
    this.#mine.delete(uploadId);
    this.#hide(uploadId);
  }

  /** This page goes on with it no more, another may. */
  release(uploadId: string): void {
    this.#mine.delete(uploadId);
    void this.refresh();
  }

  /** An upload is given up; the server need not keep what it has. */
  async forget(uploadId: string): Promise<void> {
    const note = this.#book.all().find((n) => n.uploadId === uploadId);
    this.#mine.delete(uploadId);
    this.#hide(uploadId);
    if (note) this.#book.put({ ...note, forgotten: true });
    await this.#tellForgotten(uploadId);
  }

  #take(uploadId: string): void {
    this.#mine.add(uploadId);
    this.#hide(uploadId);
  }

  #hide(uploadId: string): void {
    this.#items = this.#items.filter((u) => u.uploadId !== uploadId);
  }

  /** If the server cannot be told now, it is told another time. */
  async #tellForgotten(uploadId: string): Promise<null> {
    try {
      await this.#host.remove(uploadId);
      this.#book.remove(uploadId);
    } catch (e) {
      if (isRefusal(e as ApiError)) this.#book.remove(uploadId);
      else this.#tryAgain(uploadId, e as ApiError);
    }
    return null;
  }

  /** Who is signed out has to sign in first, and is asked then. */
  #tryAgain(uploadId: string, why: ApiError): void {
    if (!isSignedOut(why)) this.#open.add(uploadId);
  }

  /** What is left to do about a note; null: nothing that anyone would want to see. */
  async #ask(note: Note): Promise<Unfinished | null> {
    const { uploadId, name, size } = note;
    if (this.#mine.has(uploadId)) return null;
    if (note.forgotten) return this.#tellForgotten(uploadId);
    let received: number | null = null;
    try {
      received = await this.#host.offset(uploadId);
    } catch (e) {
      if (isGone(e as ApiError)) return this.#settle(uploadId);
      this.#tryAgain(uploadId, e as ApiError);
    }
    return received === size ? this.#settle(uploadId) : { uploadId, name, size, received };
  }

  /** Nothing can go on with this one. */
  #settle(uploadId: string): null {
    if (!this.#mine.has(uploadId)) this.#book.remove(uploadId);
    return null;
  }
}
