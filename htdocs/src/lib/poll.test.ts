import { beforeEach, expect, test } from 'vitest';

import { FAST_MS, Poller, RETRY_MS, SLOW_MS, type PollHost } from './poll';

/** A browser whose clock and visibility are in the test's hands. */
class FakeHost implements PollHost {
  shown = true;
  timers: { fn: () => void; ms: number }[] = [];
  listeners = new Set<() => void>();

  visible() {
    return this.shown;
  }
  onVisibility(changed: () => void) {
    this.listeners.add(changed);
    return () => this.listeners.delete(changed);
  }
  later(fn: () => void, ms: number) {
    const timer = { fn, ms };
    this.timers.push(timer);
    return timer;
  }
  cancel(timer: unknown) {
    this.timers = this.timers.filter((t) => t !== timer);
  }
  show(shown: boolean) {
    this.shown = shown;
    for (const changed of this.listeners) changed();
  }
  fire() {
    const timer = this.timers.shift();
    timer!.fn();
  }
}

/** A task whose answers come when the test says so. */
class FakeTask {
  runs = 0;
  isActive = false;
  answers: ((fine: boolean) => void)[] = [];

  run() {
    this.runs += 1;
    return new Promise<boolean>((resolve) => this.answers.push(resolve));
  }
  active() {
    return this.isActive;
  }
  async answer(fine = true) {
    this.answers.shift()!(fine);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

let host: FakeHost;
let task: FakeTask;
let poller: Poller;
beforeEach(() => {
  host = new FakeHost();
  task = new FakeTask();
  poller = new Poller(task, host);
  poller.start();
});

const delays = () => host.timers.map((t) => t.ms);

test('asks at once, and slowly while nothing happens', async () => {
  expect(task.runs).toBe(1);
  await task.answer();
  expect(delays()).toEqual([SLOW_MS]);
  host.fire();
  expect(task.runs).toBe(2);
});

test('asks quickly while something happens', async () => {
  task.isActive = true;
  await task.answer();
  expect(delays()).toEqual([FAST_MS]);
});

test('asks slowly on a page that nobody sees, whatever happens', async () => {
  task.isActive = true;
  host.show(false);
  await task.answer();
  expect(delays()).toEqual([SLOW_MS]);
});

test('asks at once when the page comes back into view', async () => {
  host.show(false);
  await task.answer();
  host.show(true);
  expect(task.runs).toBe(2);
  expect(delays()).toEqual([]);
});

test('comes back soon after a failure', async () => {
  await task.answer(false);
  expect(delays()).toEqual([RETRY_MS]);
});

test('never asks twice at once, but once more after a kick', async () => {
  poller.kick();
  poller.kick();
  expect(task.runs).toBe(1);
  await task.answer();
  expect(task.runs).toBe(2);
  await task.answer();
  expect(task.runs).toBe(2);
  expect(delays()).toEqual([SLOW_MS]);
});

test('is silent once it is stopped, even if an answer is still to come', async () => {
  poller.stop();
  await task.answer();
  expect(delays()).toEqual([]);
  expect(host.listeners.size).toBe(0);
  poller.kick();
  expect(task.runs).toBe(1);
});

test('can be started again', async () => {
  await task.answer();
  poller.stop();
  poller.start();
  expect(task.runs).toBe(2);
});
