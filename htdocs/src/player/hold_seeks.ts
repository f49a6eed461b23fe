/** Stands between a seek bar and its player, and lets through what Scrub does. */
import { Scrub } from './scrub';

/** media-chrome's event: its detail is the moment in seconds. */
export const SEEK = 'mediaseekrequest';

/** The element around a <media-time-range>. */
export type Bar = Pick<
  HTMLElement,
  'addEventListener' | 'removeEventListener' | 'firstElementChild'
>;

/** ready: whether a moment can be shown without anything being made. page: where a hand
 * lets go. Returns how to stop; what was held back by then is never done. */
export function holdSeeks(
  bar: Bar,
  ready: (seconds: number) => boolean,
  page: Pick<Window, 'addEventListener' | 'removeEventListener'> = window,
): () => void {
  let passing = false;
  const scrub = new Scrub(pass, ready);

  function pass(seconds: number) {
    passing = true;
    const init = { bubbles: true, composed: true, detail: seconds };
    bar.firstElementChild?.dispatchEvent(new CustomEvent(SEEK, init));
    passing = false;
  }
  function hold(event: Event) {
    if (passing) return;
    event.stopPropagation();
    scrub.seek((event as CustomEvent<number>).detail);
  }
  const press = () => scrub.press();
  const release = () => scrub.release();

  bar.addEventListener(SEEK, hold);
  bar.addEventListener('pointerdown', press);
  page.addEventListener('pointerup', release);
  page.addEventListener('pointercancel', release);
  return () => {
    bar.removeEventListener(SEEK, hold);
    bar.removeEventListener('pointerdown', press);
    page.removeEventListener('pointerup', release);
    page.removeEventListener('pointercancel', release);
    scrub.stop();
  };
}
