/**
 * One file on its way to the server, as a state machine:
 *
 *   checking ─► waiting ─► sending ─► finishing ─► done
 *      │           ▲          │           │
 *      ▼           │ retry    ▼           ▼
 *   refused        └────────── failed ◄───┘
 *
 * A refused file is final: its bytes say that it is no video, and were never sent.
 */
import type { ApiError, Video } from './api';
import { findIndex, readFrom, type IndexBox } from './index_box';
import { RateMeter } from './rate';
import type { send } from './send';
import { SNIFF_BYTES, sniff, type Container } from './sniff';

export type UploadState =
  | 'checking'
  | 'refused'
  | 'waiting'
  | 'sending'
  | 'finishing'
  | 'done'
  | 'failed';

/** What an upload needs of the world; a test has its own. */
export interface UploadHost {
  send: typeof send;
  /** 32 random hex digits. */
  newId(): string;
  now(): number;
}

const UNREADABLE = 'This cannot be read. Is it a folder, or was the file moved?';

export class Upload {
  readonly file: File;
  #host: UploadHost;
  #changed: (upload: Upload) => void;
  #state = $state<UploadState>('checking');
  #sent = $state(0);
  #speed = $state(0);
  #message = $state('');
  #video = $state.raw<Video | null>(null);
  #rate = new RateMeter();
  #index: IndexBox | null = null;
  #request: { abort(): void } | null = null;
  #cancelled = false;

  /** changed is called after every change of state. */
  constructor(
    readonly key: number,
    file: File,
    host: UploadHost,
    changed: (upload: Upload) => void,
  ) {
    this.file = file;
    this.#host = host;
    this.#changed = changed;
  }

  get state(): UploadState {
    return this.#state;
  }
  /** Bytes that have left. */
  get sent(): number {
    return this.#sent;
  }
  get share(): number {
    return this.file.size > 0 ? this.#sent / this.file.size : 0;
  }
  /** Bytes per second. */
  get speed(): number {
    return this.#speed;
  }
  /** Seconds left; Infinity while nothing moves. */
  get eta(): number {
    return this.#speed > 0 ? (this.file.size - this.#sent) / this.#speed : Infinity;
  }
  /** Why it was refused or failed; "" otherwise. */
  get message(): string {
    return this.#message;
  }
  /** What the server made of it; null until done. */
  get video(): Video | null {
    return this.#video;
  }
  /** Leaving the page now would lose something. */
  get pending(): boolean {
    return ['checking', 'waiting', 'sending', 'finishing'].includes(this.#state);
  }

  /** Looks at the first bytes: checking → waiting or refused. */
  async check(): Promise<void> {
    let reason: string | null;
    try {
      const head = await this.file.slice(0, SNIFF_BYTES).arrayBuffer();
      const found = sniff(new Uint8Array(head));
      reason = found.reason;
      this.#index = await this.#findIndex(found.container);
    } catch {
      reason = UNREADABLE;
    }
    if (this.#cancelled) return;
    if (reason === null) this.#become('waiting');
    else this.#become('refused', reason);
  }

  /** waiting → sending. */
  start(): void {
    if (this.#state !== 'waiting') return;
    this.#rate = new RateMeter();
    this.#rate.add(this.#host.now(), 0);
    this.#become('sending');
    // A new name for every attempt: the server may still hold what is left of the last.
    const fields = { uploadId: this.#host.newId(), title: '', index: this.#index };
    this.#request = this.#host.send(this.file, fields, {
      progress: (sent) => this.#progress(sent),
      sent: () => {
        if (this.#state !== 'sending') return;
        this.#sent = this.file.size;
        this.#become('finishing');
      },
      done: (video) => {
        this.#video = video;
        this.#sent = this.file.size;
        this.#become('done');
      },
      failed: (error: ApiError) => this.#become('failed', error.message),
    });
  }

  /** failed → waiting. */
  retry(): void {
    if (this.#state !== 'failed') return;
    this.#sent = 0;
    this.#speed = 0;
    this.#become('waiting');
  }

  /** Stops whatever is going on, without a word to anyone. */
  cancel(): void {
    this.#cancelled = true;
    this.#request?.abort();
    this.#request = null;
  }

  async #findIndex(container: Container): Promise<IndexBox | null> {
    if (container !== 'mp4' && container !== 'mov') return null;
    return findIndex(this.file.size, readFrom(this.file));
  }

  #progress(sent: number): void {
    this.#sent = sent;
    this.#rate.add(this.#host.now(), sent);
    this.#speed = this.#rate.perSecond;
  }

  #become(state: UploadState, message = ''): void {
    if (this.#cancelled) return;
    this.#state = state;
    this.#message = message;
    this.#changed(this);
  }
}
