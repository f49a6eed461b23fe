/**
 * The focus of a menu that was opened. media-chrome moves it into the menu at the end of its
 * way in, once for each; one that comes in without being seen on its way (on a busy machine,
 * or right after it was closed) has no such end, and the end of its way out is taken for it.
 * So those ends are kept from it, and the focus is moved here.
 */

/** What is needed of a menu; a test has its own. */
export type OpenedMenu = Pick<HTMLElement, 'hidden' | 'contains' | 'focus' | 'getAnimations' | 'ownerDocument'>;

const frame = () => new Promise((shown) => requestAnimationFrame(shown));

/** For the `toggle` event of a menu. */
export async function focusOpened(menu: OpenedMenu, shown: () => Promise<unknown> = frame): Promise<void> {
  if (menu.hidden) return;
  await shown();
  await Promise.allSettled(menu.getAnimations().map(({ finished }) => finished));
  if (!menu.hidden && !menu.contains(menu.ownerDocument.activeElement)) menu.focus();
}

/** For the element around the menus. */
export const MENU_FOCUS = {
  ontoggle: ({ target }: Event) => void focusOpened(target as HTMLElement),
  ontransitionendcapture(event: Event) {
    if ((event.target as Element).closest('[role=menu]')) event.stopPropagation();
  },
};
