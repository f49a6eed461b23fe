import { tick } from 'svelte';

/** A new page is announced by putting the focus on its heading. */
export async function announcePage(): Promise<void> {
  await tick();
  const main = document.getElementById('main');
  const heading = main?.querySelector<HTMLElement>('h1[tabindex]') ?? main;
  heading?.focus({ preventScroll: true });
}
