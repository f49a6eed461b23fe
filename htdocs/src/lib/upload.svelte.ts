/**
 * One file on its way to the server, as a state machine:
 *
 *   checking ─► waiting ─► sending ──► finishing ─► done
 *      │         ▲   │      ▲    │         │
 *      ▼   retry │   └► asking   ▼         │
 *   refused      │          ▲── lost ◄─────┤
 *                │          └─ barred ◄────┤
 *                └── failed ◄── whatever the server refuses
 *
 * A refused file is final: its bytes say that it is no video, and were never sent. What is
 * lost goes on by itself, for as long as the page is open, from where the server has it; what
 * is barred does once its person has signed in again.
 */
import { ApiError } from './api';
import { fingerprint, type FileFacts } from './fingerprint';
import { findIndex, readFrom, type IndexBox } from './index_box';
import { outcomeOf, pauseAfter } from './outcome';
import { Pause } from './pause.svelte';
import { RateMeter } from './rate';
import type { SendFields } from './send';
import { SNIFF_BYTES, sniff, type Container } from './sniff';
import type { Transfer, TransferEvents } from './transfer';

export type UploadState =
  | 'checking'
  | 'refused'
  | 'waiting'
  | 'asking'
  | 'sending'
  | 'finishing'
  | 'lost'
  | 'barred'
  | 'done'
  | 'failed';

/** It holds a place among those that are sent. */
const UNDER_WAY: UploadState[] = ['asking', 'sending', 'finishing', 'lost', 'barred'];

/** What an upload needs of the world; a test has its own. */
export interface UploadHost {
  /** Sends a file from its beginning. */
  whole(file: File, fields: SendFields, events: TransferEvents): Transfer;
  /** Sends what the server has not got of an upload. */
  rest(file: File, uploadId: string, events: TransferEvents): Transfer;
  /** 32 random hex digits. */
  newId(): string;
  now(): number;
}

/** What is remembered of uploads, longer than the page lives: UnfinishedUploads. */
export interface UploadMemory {
  claim(facts: FileFacts): Promise<string>;
  remember(uploadId: string, facts: FileFacts): void;
  drop(uploadId: string): void;
  release(uploadId: string): void;
  forget(uploadId: string): Promise<void>;
}

const UNREADABLE = 'This cannot be read. Is it a folder, or was the file moved?';
const CHANGED = 'The file was moved or changed while it was sent.';
const SIGNED_OUT = 'You are not signed in any more. Sign in, and it goes on.';
const DELETED = 'The video was deleted while it was uploaded.';

/** Answers to HEAD have no words. */
function barredBy({ status, code, message }: ApiError): string {
  if (status === 401) return SIGNED_OUT;
  return code === '' ? 'You may not upload here any more.' : message;
}

/** The server does not take the index ahead of the file. */
const INDEX_REFUSED = ['bad_index', 'index_too_large'];

export class Upload {
  readonly file: File;
  #host: UploadHost;
  #memory: UploadMemory;
  #changed: (upload: Upload) => void;
  #state = $state<UploadState>('checking');
  #sent = $state(0);
  #speed = $state(0);
  #message = $state('');
  #videoId = $state('');
  #pause = new Pause();
  #rate = new RateMeter();
  #index: IndexBox | null = null;
  #facts: FileFacts | null = null;
  /** What the server calls it; "" while it knows nothing of it. */
  #uploadId = '';
  /** Bytes that the server has said to have. */
  #kept = -1;
  /** In vain, in a row. */
  #tries = 0;
  #transfer: Transfer | null = null;
  #cancelled = false;
  #left = false;

  /** changed is called after every change of state. */
  constructor(
    readonly key: number,
    file: File,
    host: UploadHost,
    memory: UploadMemory,
    changed: (upload: Upload) => void,
  ) {
    this.file = file;
    this.#host = host;
    this.#memory = memory;
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
  /** Why it was refused, failed, is lost or barred; "" otherwise. */
  get message(): string {
    return this.#message;
  }
  /** Seconds until it goes on; 0 unless it is lost. */
  get pause(): number {
    return this.#pause.left;
  }
  /** What the server made of it; "" until done. */
  get videoId(): string {
    return this.#videoId;
  }
  get underWay(): boolean {
    return UNDER_WAY.includes(this.#state);
  }
  /** Leaving the page now would lose something, or put it off. */
  get pending(): boolean {
    return this.underWay || this.#state === 'checking' || this.#state === 'waiting';
  }

  /** Looks at the first bytes: checking → waiting or refused. */
  async check(): Promise<void> {
    let reason: string | null;
    try {
      reason = await this.#look();
    } catch {
      reason = UNREADABLE;
    }
    if (this.#cancelled) return this.#drop();
    if (reason === null) this.#become('waiting');
    else this.#become('refused', reason);
  }

  /** waiting → sending, or → asking where an earlier page has begun. */
  start(): void {
    if (this.#state !== 'waiting') return;
    this.#tries = 0;
    this.#send();
  }

  /** failed → waiting. */
  retry(): void {
    if (this.#state !== 'failed') return;
    this.#show(0);
    this.#become('waiting');
  }

  /** lost: goes on now. */
  hurry(): void {
    this.#pause.cut();
  }

  /** barred: whoever has signed in may go on with it. */
  resume(): void {
    if (this.#state === 'barred') this.#send();
  }

  /** Stops whatever is going on, without a word to anyone but the server. */
  cancel(): void {
    this.#cancelled = true;
    this.#stop();
    if (this.pending) this.#drop();
  }

  /** Stops, and what the server has of it stays there to be gone on with. */
  leave(): void {
    this.#left = true;
    this.#cancelled = true;
    this.#stop();
    this.#drop();
  }

  #drop(): void {
    if (this.#uploadId === '') return;
    if (this.#left) this.#memory.release(this.#uploadId);
    else void this.#memory.forget(this.#uploadId);
  }

  async #look(): Promise<string | null> {
    const { file } = this;
    const head = new Uint8Array(await file.slice(0, SNIFF_BYTES).arrayBuffer());
    const { container, reason } = sniff(head);
    if (reason !== null) return reason;
    this.#index = await this.#findIndex(container);
    const { name, size, lastModified } = file;
    this.#facts = { name, size, lastModified, fingerprint: await fingerprint(head) };
    this.#uploadId = await this.#memory.claim(this.#facts);
    return null;
  }

  async #findIndex(container: Container): Promise<IndexBox | null> {
    if (container !== 'mp4' && container !== 'mov') return null;
    return findIndex(this.file.size, readFrom(this.file));
  }

  #send(): void {
    const { file } = this;
    if (this.#uploadId !== '') {
      this.#become('asking');
      this.#transfer = this.#host.rest(file, this.#uploadId, this.#events(true));
    } else {
      this.#kept = -1;
      this.#show(0);
      this.#become('sending');
      const fields = { uploadId: this.#host.newId(), index: this.#index };
      this.#transfer = this.#host.whole(file, fields, this.#events(false));
    }
  }

  #events(resuming: boolean): TransferEvents {
    return {
      named: (uploadId) => {
        this.#uploadId = uploadId;
        this.#memory.remember(uploadId, this.#facts!);
      },
      resumed: (offset) => {
        if (offset > this.#kept) this.#tries = 0;
        this.#kept = offset;
        this.#show(offset);
        this.#become('sending');
      },
      progress: (sent) => {
        this.#sent = Math.max(sent, this.#sent);
        this.#rate.add(this.#host.now(), this.#sent);
        this.#speed = this.#rate.perSecond;
      },
      sent: () => {
        if (this.#state !== 'sending') return;
        this.#sent = this.file.size;
        this.#become('finishing');
      },
      done: (videoId) => this.#done(videoId),
      failed: (error) => this.#failed(error, resuming),
    };
  }

  #done(videoId: string): void {
    this.#memory.drop(this.#uploadId);
    this.#videoId = videoId;
    this.#sent = this.file.size;
    this.#become('done');
  }

  #failed(error: ApiError, resuming: boolean): void {
    this.#stop();
    if (this.#index && INDEX_REFUSED.includes(error.code)) return this.#sendWithoutIndex();
    const outcome = outcomeOf(error, resuming);
    if (outcome === 'final') return this.#giveUp(error);
    if (outcome === 'barred') {
      this.#speed = 0;
      return this.#become('barred', barredBy(error));
    }
    if (outcome === 'anew') {
      // Had the server had some of it, then it would have been told to take that away.
      if (this.#kept >= 0) return this.#giveUp(new ApiError(error.status, 'deleted', DELETED));
      this.#memory.drop(this.#uploadId);
      this.#uploadId = '';
      // Twice in vain: it may be the index that is refused, by an answer that gets lost.
      if (this.#tries > 1) this.#index = null;
    }
    void this.#goOnLater(error);
  }

  /** The file may be good all the same: then it plays later, and that is all. */
  #sendWithoutIndex(): void {
    this.#memory.drop(this.#uploadId);
    this.#uploadId = '';
    this.#index = null;
    this.#send();
  }

  async #goOnLater(error: ApiError): Promise<void> {
    // A line that seems to break may be a file that has gone: that will not come back.
    const readable = await this.file.slice(0, 1).arrayBuffer().then(
      () => true,
      () => false,
    );
    if (this.#cancelled) return;
    if (!readable) return this.#leave();
    this.#speed = 0;
    this.#pause.start(pauseAfter(this.#tries), () => this.#send());
    this.#tries += 1;
    this.#become('lost', error.status === 0 ? 'Connection lost.' : error.message);
  }

  #giveUp(error: ApiError): void {
    const id = this.#uploadId;
    this.#uploadId = '';
    // What was answered with success is kept, whatever the answer says.
    if (error.status >= 200 && error.status < 300) this.#memory.drop(id);
    else if (id !== '') void this.#memory.forget(id);
    this.#become('failed', error.message);
  }

  /** The file is not what it was. Should it be so again, it can be gone on with. */
  #leave(): void {
    if (this.#uploadId !== '') this.#memory.release(this.#uploadId);
    this.#uploadId = '';
    this.#become('failed', CHANGED);
  }

  /** So much has come in, and the speed is not known yet. */
  #show(sent: number): void {
    this.#sent = sent;
    this.#speed = 0;
    this.#rate = new RateMeter();
    this.#rate.add(this.#host.now(), sent);
  }

  #stop(): void {
    this.#pause.stop();
    this.#transfer?.abort();
    this.#transfer = null;
  }

  #become(state: UploadState, message = ''): void {
    if (this.#cancelled) return;
    this.#state = state;
    this.#message = message;
    this.#changed(this);
  }
}
