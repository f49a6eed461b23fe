import { expect, test } from 'vitest';

import { focusOpened, type OpenedMenu } from './menu_focus';

/** A menu, and how often it was given the focus. */
function fake({ hidden = false, inside = false, ways = [] as Promise<unknown>[] } = {}) {
  const menu = {
    hidden,
    focused: 0,
    contains: () => inside,
    focus: () => void (menu.focused += 1),
    getAnimations: () => ways.map((finished) => ({ finished })) as Animation[],
    ownerDocument: { activeElement: null } as Document,
  };
  return menu;
}
const open = (menu: OpenedMenu) => focusOpened(menu, async () => {});

test('a menu that nothing has moved the focus into gets it', async () => {
  const menu = fake();
  await open(menu);
  expect(menu.focused).toBe(1);
});

test('one that has it keeps its place', async () => {
  const menu = fake({ inside: true });
  await open(menu);
  expect(menu.focused).toBe(0);
});

test('its way in comes to its end before, however that is', async () => {
  let end = () => {};
  const menu = fake({ ways: [new Promise<void>((done) => (end = done)), Promise.reject(new Error('cancelled'))] });
  const opened = open(menu);
  await Promise.resolve();
  expect(menu.focused).toBe(0);
  end();
  await opened;
  expect(menu.focused).toBe(1);
});

test('one that is closed, or closed meanwhile, is left alone', async () => {
  const closed = fake({ hidden: true });
  await open(closed);
  const menu = fake();
  const opened = open(menu);
  menu.hidden = true;
  await opened;
  expect([closed.focused, menu.focused]).toEqual([0, 0]);
});
