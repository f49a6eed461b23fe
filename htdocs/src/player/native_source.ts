/**
 * For browsers that play HLS by themselves: they know nothing of media_address.ts, and fail
 * where nothing is found any more under the address that they were given. Then it is asked
 * for anew, and they begin again under another one, where they were.
 */
import type { MediaAddress } from './media_address';
import { RESTART_MS } from './nurse';

/** As much of an HTMLMediaElement as is asked about. */
export interface NativeMedia extends EventTarget {
  src: string;
  currentTime: number;
  playbackRate: number;
  readonly paused: boolean;
  readonly error: object | null;
  play(): Promise<void>;
}

/** Has the element begin again under the address of today whenever what it plays has moved;
 * returns how to stop. */
export function followAddress(media: NativeMedia, address: MediaAddress): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  // Where it stood, and whether it played: one that has failed or begins again has forgotten.
  let at = 0;
  let playing = false;
  let beginning = false;

  function note() {
    if (beginning || media.error) return;
    at = media.currentTime;
    playing = !media.paused;
  }

  function beginAgain(src: string) {
    const { playbackRate } = media;
    beginning = true;
    media.src = src;
    media.playbackRate = playbackRate; // else it is the default again
    if (playing) media.play().catch(() => {}); // refused: a person presses the button
  }

  // Not all heed it sooner.
  function arrive() {
    if (!beginning) return;
    beginning = false;
    if (at > 0) media.currentTime = at;
  }

  // Whatever it waits for, it waits for under an address where nothing is.
  function wait() {
    note();
    const src = address.of(media.src);
    if (!media.error && src !== media.src) beginAgain(src);
  }

  async function fail() {
    clearTimeout(timer);
    const { src } = media;
    const finding = await address.look(src);
    if (stopped || media.src !== src || !media.error) return;
    if (finding === 'moved') beginAgain(address.of(src));
    else if (finding === 'unknown') timer = setTimeout(() => void fail(), RESTART_MS);
  }

  const listeners: [string, () => void][] = [
    ['timeupdate', note],
    ['seeking', note],
    ['play', note],
    ['pause', note],
    ['loadedmetadata', arrive],
    ['waiting', wait],
    ['error', () => void fail()],
  ];
  for (const [type, listener] of listeners) media.addEventListener(type, listener);
  return () => {
    stopped = true;
    clearTimeout(timer);
    for (const [type, listener] of listeners) media.removeEventListener(type, listener);
  };
}
