import { afterEach, expect, test } from 'vitest';

import { Neighbours } from './neighbours';

let channels: BroadcastChannel[] = [];
afterEach(() => {
  channels.forEach((channel) => channel.close());
  channels = [];
});

/** A page that is busy with some uploads; the channel is a real one. */
function page(...uploads: string[]) {
  const channel = new BroadcastChannel('test');
  channels.push(channel);
  return { neighbours: new Neighbours(() => uploads, channel), close: () => channel.close() };
}

test('a page alone hears nothing, not even of itself', async () => {
  expect([...(await page('a').neighbours.busy())]).toEqual([]);
});

test('every other page says what it is busy with', async () => {
  const one = page('a');
  const two = page('b', 'c');
  page();
  const four = page('d');
  expect([...(await one.neighbours.busy())].sort()).toEqual(['b', 'c', 'd']);
  two.close();
  expect([...(await one.neighbours.busy())]).toEqual(['d']);
  expect([...(await four.neighbours.busy())]).toEqual(['a']);
});
