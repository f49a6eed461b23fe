/**
 * Where the media of a video are by now. Their addresses hold a key, and the server may put
 * another one in its place while a player is open (lib/media_url.ts). A player goes on with
 * the addresses that it began with; what is asked for under them is fetched under the key of
 * today, and an address where nothing is any more gives reason to ask for that.
 */
import { keyOf, withKey } from '../lib/media_url';

/** same: the key is still the one that was tried. moved: there is another one. lost: one may
 * not watch it any more. unknown: the server does not say. */
export type Finding = 'same' | 'moved' | 'lost' | 'unknown';

/** The address of the media by now; null: one may not watch them any more. Rejects where
 * nobody says. */
export type Ask = () => Promise<string | null>;

export class MediaAddress {
  #key: string;
  #lost = false;
  #asking: Promise<boolean> | null = null;

  constructor(
    /** The address of the playlist, as the player knows it. */
    readonly src: string,
    private readonly ask: Ask,
  ) {
    this.#key = keyOf(src);
  }

  /** Where to fetch what the player knows by this address. */
  of(url: string): string {
    return keyOf(url) === keyOf(this.src) ? withKey(url, this.#key) : url;
  }

  /** There is news of the address, by another way than asking. */
  know(media: string | null): void {
    if (media === null || keyOf(media) === '') return;
    this.#key = keyOf(media);
    this.#lost = false;
  }

  /** Nothing is found at this address, where it was fetched. However many find out at the same
   * time, it is asked for once. */
  async look(fetched: string): Promise<Finding> {
    const key = keyOf(fetched);
    if (!this.#lost && key === this.#key) {
      this.#asking ??= this.#renew();
      if (!(await this.#asking)) return 'unknown';
    }
    if (this.#lost) return 'lost';
    return key === this.#key ? 'same' : 'moved';
  }

  async #renew(): Promise<boolean> {
    try {
      const media = await this.ask();
      this.#lost = media === null;
      this.know(media);
      return true;
    } catch {
      return false;
    } finally {
      this.#asking = null;
    }
  }
}
