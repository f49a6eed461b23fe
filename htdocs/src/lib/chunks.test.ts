import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakeMp4 } from './fake_file';
import { FakeXhr } from './fake_xhr';
import { findIndex, readFrom } from './index_box';
import type { TransferEvents } from './transfer';

/** What went out by fetch, and by XMLHttpRequest from its last one on. */
interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Blob | undefined;
  answer(status: number, headers?: Record<string, string>): Promise<void>;
}

let asked: Asked[];
let said: string[];
const events: TransferEvents = {
  named: (uploadId) => said.push(`named ${uploadId}`),
  resumed: (offset) => said.push(`resumed ${offset}`),
  progress: () => {},
  sent: () => said.push('sent'),
  done: (videoId) => said.push(`done ${videoId}`),
  failed: (error) => said.push(`failed ${error.status}`),
};

beforeEach(() => {
  vi.resetModules(); // the site is asked once a page
  asked = [];
  said = [];
  FakeXhr.all = [];
  vi.stubGlobal('XMLHttpRequest', FakeXhr);
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    const { method, headers = {}, body } = init;
    return new Promise((resolve, reject) => {
      const answer = async (status: number, answered: Record<string, string> = {}) => {
        if (status === 0) reject(new TypeError('Failed to fetch'));
        else resolve({ status, headers: new Headers(answered), text: async () => '' });
        await settle();
      };
      asked.push({ method, path, headers, body, answer } as Asked);
    });
  });
});
afterEach(() => vi.unstubAllGlobals());

const settle = () => new Promise((resolve) => setTimeout(resolve, 30));

async function begin(file: File) {
  const { sendWhole } = await import('./route');
  await import('tus-js-client');
  const index = await findIndex(file.size, readFrom(file));
  const transfer = sendWhole(file, { uploadId: 'mine', index }, events);
  await settle();
  return transfer;
}

const CHUNKS = { 'Dropstream-Chunk-Bytes': '400' };

test('a site that says nothing of chunks gets one form', async () => {
  for (const answered of [{}, { 'Dropstream-Chunk-Bytes': '0' }] as Record<string, string>[]) {
    vi.resetModules();
    const { abort } = await begin(fakeMp4('a.mp4'));
    expect([asked.at(-1)!.method, asked.at(-1)!.path]).toEqual(['OPTIONS', '/api/uploads']);
    await asked.at(-1)!.answer(204, answered);
    expect([FakeXhr.last.method, FakeXhr.last.url]).toEqual(['POST', '/api/videos']);
    abort();
  }
  expect(said).toEqual(['named mine', 'named mine']);
});

test('where the question is not let through, the site gets one form', async () => {
  const { abort } = await begin(fakeMp4('a.mp4'));
  await asked[0]!.answer(405);
  expect(FakeXhr.last.url).toBe('/api/videos');
  abort();
});

test('the question is asked once a page, and again if nobody answered', async () => {
  await begin(fakeMp4('a.mp4'));
  await asked[0]!.answer(0);
  expect([said, FakeXhr.all]).toEqual([['failed 0'], []]);
  const transfers = [await begin(fakeMp4('a.mp4'))];
  await asked[1]!.answer(204);
  transfers.push(await begin(fakeMp4('b.mp4')));
  expect([asked.length, FakeXhr.all.length]).toEqual([2, 2]);
  transfers.forEach((transfer) => transfer.abort());
});

test('a site with chunks gets an upload, its index, and then chunk after chunk', async () => {
  await begin(fakeMp4('Ö a.mp4', 1000, 100));
  await asked[0]!.answer(204, CHUNKS);
  const [, create] = asked;
  expect([create!.method, create!.path]).toEqual(['POST', '/api/uploads']);
  expect(create!.headers).toEqual({
    'Tus-Resumable': '1.0.0',
    'Upload-Length': '1000',
    'Upload-Metadata': 'filename w5YgYS5tcDQ=,upload_id bWluZQ==',
  });
  expect(said).toEqual(['named mine']);
  await create!.answer(201);

  const put = asked[2]!;
  expect([put.method, put.path]).toEqual(['PUT', '/api/uploads/mine/index?offset=900']);
  expect(put.body!.size).toBe(100);
  await put.answer(204);
  FakeXhr.last.answer(200, '', { 'Upload-Offset': '0', 'Upload-Length': '1000' });
  await settle();
  const sizes: number[] = [];
  for (let offset = 0; offset < 1000; ) {
    expect(FakeXhr.last.headers['Upload-Offset']).toBe(`${offset}`);
    const { size } = FakeXhr.last.body as Blob;
    sizes.push(size);
    offset += size;
    FakeXhr.last.answer(204, '', { 'Upload-Offset': `${offset}`, 'Dropstream-Video': 'vvv' });
    await settle();
  }
  expect(sizes).toEqual([400, 400, 200]);
  expect([...new Set(said)]).toEqual(['named mine', 'resumed 0', 'sent', 'done vvv']);
});

test('an index that is larger than a chunk, or is refused, stays where it is', async () => {
  const first = await begin(fakeMp4('a.mp4', 1000, 500));
  await asked[0]!.answer(204, CHUNKS);
  await asked[1]!.answer(201);
  expect([asked.length, FakeXhr.last.method]).toEqual([2, 'HEAD']);
  first.abort();

  const second = await begin(fakeMp4('a.mp4', 1000, 100));
  await asked[2]!.answer(201);
  await asked[3]!.answer(415);
  expect([asked[3]!.method, FakeXhr.last.method]).toEqual(['PUT', 'HEAD']);
  second.abort();
});

test('an index that is larger than the site takes stays where it is', async () => {
  for (const limit of [99, 100]) {
    vi.resetModules();
    const { abort } = await begin(fakeMp4('a.mp4', 1000, 100));
    await asked.at(-1)!.answer(204, { 'Dropstream-Index-Bytes': `${limit}` });
    expect(FakeXhr.last.form.has('index')).toBe(limit === 100);
    abort();
  }
});

test('an upload that is refused before it begins has failed', async () => {
  await begin(fakeMp4('a.mp4'));
  await asked[0]!.answer(204, CHUNKS);
  await asked[1]!.answer(413);
  expect(said).toEqual(['named mine', 'failed 413']);
});

test('cancelled while it is created, the upload is taken away again', async () => {
  const transfer = await begin(fakeMp4('a.mp4'));
  await asked[0]!.answer(204, CHUNKS);
  transfer.abort();
  await asked[1]!.answer(201);
  expect([asked[2]!.method, asked[2]!.path]).toEqual(['DELETE', '/api/uploads/mine']);
  expect([said, FakeXhr.all]).toEqual([['named mine'], []]);
});

test('cancelled before it is known how, nothing is sent', async () => {
  const transfer = await begin(fakeMp4('a.mp4'));
  transfer.abort();
  await asked[0]!.answer(204);
  expect([said, FakeXhr.all]).toEqual([[], []]);
});
