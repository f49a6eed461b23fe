import { expect, test } from 'vitest';

import { keepPlace } from './keep_place';

class FakeMedia extends EventTarget {
  currentTime = 0;

  say(type: string) {
    this.dispatchEvent(new Event(type));
  }
  playTo(seconds: number) {
    this.currentTime = seconds;
    this.say('timeupdate');
  }
}

test('a player begins where the one before it was, once', () => {
  const place = { at: 0 };
  const first = new FakeMedia();
  const stop = keepPlace(first, place);
  first.say('loadedmetadata');
  expect(first.currentTime).toBe(0);
  first.playTo(12);
  stop();
  first.playTo(0); // as it is taken away
  expect(place.at).toBe(12);

  const second = new FakeMedia();
  keepPlace(second, place);
  expect(second.currentTime).toBe(0);
  second.say('loadedmetadata');
  expect(second.currentTime).toBe(12);
  second.playTo(3); // somebody goes back
  second.say('loadedmetadata'); // and it loads anew
  expect([second.currentTime, place.at]).toEqual([3, 3]);
});
