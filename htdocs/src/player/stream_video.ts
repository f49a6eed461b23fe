/** <stream-video>: the hls-video element, kept alive. Fires `giveup` when it cannot be. */
import { Hls, HlsVideoElement } from 'hls-video-element';

import { SETTINGS, keepAlive } from './keep_alive';

export class StreamVideo extends HlsVideoElement {
  constructor() {
    super();
    this.config = SETTINGS;
  }

  /** Runs for every change of src; the element makes a new Hls each time. */
  override async load(): Promise<void> {
    await super.load();
    const { api } = this;
    if (api) keepAlive(api, Hls.Events, () => this.dispatchEvent(new CustomEvent('giveup')));
  }
}

if (!customElements.get('stream-video')) customElements.define('stream-video', StreamVideo);
