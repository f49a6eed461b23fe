/** The links of a video by which it is watched without an account. */
import { Listing } from './listing.svelte';
import * as api from './share_api';

export class Shares extends Listing<api.Share> {
  readonly #id: string;

  constructor(videoId: string) {
    super(() => api.listShares(videoId));
    this.#id = videoId;
  }

  /** Both reject with what to say. */
  add(share: api.NewShare): Promise<api.Share> {
    return this.change(() => api.addShare(this.#id, share));
  }
  revoke(token: string): Promise<void> {
    return this.change(() => api.deleteShare(token));
  }
}
