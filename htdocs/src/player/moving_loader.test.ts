import type { HlsConfig, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';
import { beforeEach, expect, test, vi } from 'vitest';

import { MediaAddress } from './media_address';
import { movingLoader } from './moving_loader';

const [A, B] = ['a', 'b'].map((letter) => letter.repeat(26)) as [string, string];
const at = (key: string, place = '360p-1/7.m4s') => `http://site/media/${key}/${place}`;

/** A loader whose server is the test. */
class FakeLoader {
  static all: FakeLoader[] = [];
  stats = { loading: { start: 0 }, loaded: 0 };
  context: LoaderContext | null = null;
  callbacks: LoaderCallbacks<LoaderContext> | null = null;
  ended = '';

  constructor() {
    FakeLoader.all.push(this);
  }
  load(context: LoaderContext, _how: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>) {
    if (this.stats.loading.start) throw new Error('Loader can only be used once.');
    this.stats.loading.start = 1;
    this.context = context;
    this.callbacks = callbacks;
  }
  abort() {
    this.ended = 'aborted';
  }
  destroy() {
    this.ended = 'destroyed';
  }
  fail(code: number) {
    this.callbacks!.onError({ code, text: 'no' }, this.context!, null, this.stats as never);
  }
  succeed() {
    const response = { url: this.context!.url, data: 'text', code: 200 };
    this.callbacks!.onSuccess(response, this.stats as never, this.context!, null);
  }
}
const last = () => FakeLoader.all.at(-1)!;
const settle = () => new Promise((done) => setTimeout(done));

let told: [string, ...unknown[]][];
const callbacks: LoaderCallbacks<LoaderContext> = {
  onSuccess: ({ url, data }, _stats, context) => told.push(['success', url, data, context.url]),
  onError: ({ code }, context) => told.push(['error', code, context.url]),
  onTimeout: (_stats, context) => told.push(['timeout', context.url]),
};

beforeEach(() => {
  FakeLoader.all = [];
  told = [];
});

function begin(ask: () => Promise<string | null>, url = at(A)) {
  const address = new MediaAddress(`/media/${A}/player.m3u8`, ask);
  const Loader = movingLoader(address, FakeLoader as never);
  const loader = new Loader({} as HlsConfig);
  loader.load({ url, responseType: 'text' } as LoaderContext, {} as LoaderConfiguration, callbacks);
  return { address, loader };
}

test('hls.js knows the addresses that it began with, whatever they are by now', () => {
  const { address, loader } = begin(async () => null);
  expect(last().context!.url).toBe(at(A));
  last().succeed();
  address.know(`/media/${B}/master.m3u8`);
  const again = new (loader.constructor as new (config: object) => typeof loader)({});
  again.load({ url: at(A) } as LoaderContext, {} as LoaderConfiguration, callbacks);
  expect(last().context!.url).toBe(at(B));
  last().succeed();
  expect(told).toEqual([
    ['success', at(A), 'text', at(A)],
    ['success', at(A), 'text', at(A)],
  ]);
});

test('what is gone under an old key is fetched under the new one, and nobody is told', async () => {
  const { loader } = begin(async () => `/media/${B}/master.m3u8`);
  const { stats } = loader;
  last().fail(404);
  await settle();
  expect(told).toEqual([]);
  expect(FakeLoader.all).toHaveLength(2);
  expect(last().context!.url).toBe(at(B));
  expect(last().stats).toBe(stats);
  last().succeed();
  expect(told).toEqual([['success', at(A), 'text', at(A)]]);
});

test('what is gone under the key of today is tried once more, and then said', async () => {
  begin(async () => `/media/${A}/master.m3u8`);
  last().fail(404);
  await settle();
  expect([told, FakeLoader.all.length]).toEqual([[], 2]);
  last().fail(404);
  await settle();
  expect(told).toEqual([['error', 404, at(A)]]);
  expect(FakeLoader.all).toHaveLength(2);
});

test('other errors are said at once', () => {
  begin(async () => `/media/${A}/master.m3u8`);
  last().fail(500);
  expect(told).toEqual([['error', 500, at(A)]]);
});

test('while nobody says where it is, it is tried again', async () => {
  begin(async () => Promise.reject(new Error('down')));
  last().fail(410);
  await settle();
  expect(told).toEqual([['error', 503, at(A)]]);
});

test('for one who may not watch any more nothing happens', async () => {
  const ask = vi.fn(async () => null);
  begin(ask);
  last().fail(404);
  await settle();
  expect(told).toEqual([]);
  expect(FakeLoader.all).toHaveLength(1);
});

test('one that is given up meanwhile does not begin again', async () => {
  for (const end of ['abort', 'destroy'] as const) {
    const { loader } = begin(async () => `/media/${B}/master.m3u8`);
    const before = FakeLoader.all.length;
    last().fail(404);
    loader[end]();
    await settle();
    expect(FakeLoader.all).toHaveLength(before);
  }
});
