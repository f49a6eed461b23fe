/** A video behind a link, for people without an account. */
import type { ApiError, Segments } from './api';
import { getShared, getSharedSegments, openShared, type SharedVideo } from './share_api';
import { Showing } from './showing.svelte';

export class Shared extends Showing<SharedVideo> {
  readonly token: string;
  #locked = $state(false);
  /** Of the password; "" where there was none to be given. */
  #proof = '';
  /** The server wants to be given it again. */
  #stale = false;

  constructor(token: string) {
    super();
    this.token = token;
  }

  protected override read(): Promise<SharedVideo> {
    return getShared(this.token, this.#proof);
  }
  protected override readSegments(): Promise<Segments> {
    return getSharedSegments(this.token, this.#proof);
  }

  /** The link's password has to be given first. */
  get locked(): boolean {
    return this.#locked;
  }

  /** Rejects with what to say. */
  async open(password: string): Promise<void> {
    const video = await openShared(this.token, password);
    this.#proof = video.proof ?? '';
    this.#locked = false;
    this.show(video);
    this.start();
  }

  /** A password counts for some hours; whoever watches is not asked for it again before what
   * plays has come to an end. */
  override async whereIs(): Promise<string | null> {
    try {
      return await super.whereIs();
    } catch (e) {
      if (this.#stale) this.#locked = true;
      throw e;
    }
  }

  protected override fail(error: ApiError): void {
    this.#stale = error.status === 401 && error.code === 'password';
    if (!this.#stale) return super.fail(error);
    if (this.video === null) {
      this.#locked = true;
      this.stop();
    }
  }
}
