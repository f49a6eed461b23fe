/** <stream-video>: the hls-video element, kept alive. Fires `hls` for each new instance of
 * hls.js, before that knows anything, and `giveup` when it cannot be kept alive. */
import { Hls, HlsVideoElement } from 'hls-video-element';

import { SETTINGS, keepAlive } from './keep_alive';
import type { MediaAddress } from './media_address';
import { movingLoader } from './moving_loader';
import { followAddress } from './native_source';
import { PatientGaps } from './patient_gaps';
import { PickyAbr, guardLevels } from './picky_abr';

/** What the `hls` event tells. */
export interface HlsBegun {
  hls: Hls;
  events: typeof Hls.Events;
}

/** The playlist that lists what is not there yet, too. */
const PLANNED = 'player.m3u8';
const FINISHED = 'master.m3u8';

/** Where that is, of media whose address is given. */
export const plannedOf = (media: string | null) => (media ?? '').replace(FINISHED, PLANNED);

export class StreamVideo extends HlsVideoElement {
  #address: MediaAddress | null = null;
  #unfollow = () => {};

  constructor() {
    super();
    this.config = { ...SETTINGS, abrController: PickyAbr, gapController: PatientGaps };
  }

  /** Where the media are by now; to be set before src. */
  set address(address: MediaAddress) {
    this.#address = address;
    this.config = { ...this.config, loader: movingLoader(address) };
  }

  /** Runs for every change of src; the element makes a new Hls each time. */
  override async load(): Promise<void> {
    // Who plays HLS without hls.js chooses by itself, and gets only what is there.
    if (!Hls.isSupported() && this.src.endsWith(PLANNED)) {
      this.src = this.src.replace(PLANNED, FINISHED);
      return;
    }
    await super.load();
    this.#unfollow();
    const { api } = this;
    if (!api) {
      if (this.isConnected && this.#address) this.#unfollow = followAddress(this.nativeEl, this.#address);
      return;
    }
    keepAlive(api, Hls.Events, () => this.dispatchEvent(new CustomEvent('giveup')));
    guardLevels(api, Hls.Events);
    this.dispatchEvent(new CustomEvent('hls', { detail: { hls: api, events: Hls.Events } }));
  }

  override disconnectedCallback(): void {
    this.#unfollow();
    super.disconnectedCallback();
  }
}

if (!customElements.get('stream-video')) customElements.define('stream-video', StreamVideo);
