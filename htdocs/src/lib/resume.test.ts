import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { fakeMp4, vanish } from './fake_file';
import { FakeXhr } from './fake_xhr';
import { send } from './send';
import { sendRest } from './send_rest';
import { FINISH_MS, STALL_MS } from './transfer';
import { Upload, type UploadMemory } from './upload.svelte';

const SIZE = 1000;
const realLater = setTimeout;

let now: number;
let chunk: number;
let upload: Upload;
/** What the memory was told, in order. */
let told: string[];
/** An upload of an earlier page, of the same file. */
let earlier: string;
/** What was shown with each change of state. */
let shares: number[];

const memory: UploadMemory = {
  claim: async (facts) => {
    told.push(`claim ${facts.name} ${facts.size} ${facts.fingerprint.slice(0, 6)}`);
    return earlier;
  },
  remember: (uploadId, facts) => told.push(`remember ${uploadId} ${facts.name}`),
  drop: (uploadId) => told.push(`drop ${uploadId}`),
  release: (uploadId) => told.push(`release ${uploadId}`),
  forget: async (uploadId) => void told.push(`forget ${uploadId}`),
};

beforeEach(async () => {
  await import('tus-js-client'); // as the page does, while the line is there
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  vi.stubGlobal('XMLHttpRequest', FakeXhr);
  FakeXhr.all = [];
  told = [];
  earlier = '';
  shares = [];
  now = 0;
  chunk = 0;
});
afterEach(() => {
  upload.cancel();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets everything happen that needs no timer: reading files, tus's own steps. */
const settle = () => new Promise((resolve) => realLater(resolve, 25));

async function begin(file = fakeMp4('a.mp4', SIZE)) {
  const host = {
    whole: send,
    rest: (f: File, id: string, events: Parameters<typeof send>[2]) =>
      sendRest(f, id, chunk, events),
    newId: () => `id${FakeXhr.all.length}`,
    now: () => now,
  };
  upload = new Upload(1, file, host, memory, () => shares.push(upload.share));
  await upload.check();
  told = told.filter((what) => !what.startsWith('claim'));
  upload.start();
  await settle();
}

async function pass(seconds: number) {
  vi.advanceTimersByTime(1000 * seconds);
  await settle();
}

async function breakLine() {
  FakeXhr.last.breakLine();
  await settle();
}

/** The server says how much it has. */
async function has(offset: number) {
  const head = FakeXhr.last;
  expect([head.method, head.url]).toEqual(['HEAD', '/api/uploads/id0']);
  head.answer(200, '', { 'Upload-Offset': `${offset}`, 'Upload-Length': `${SIZE}` });
  await settle();
}

async function answer(status: number, body: unknown = '', headers = {}) {
  FakeXhr.last.answer(status, body, headers);
  await settle();
}

const stored = (offset = SIZE) =>
  answer(204, '', { 'Upload-Offset': `${offset}`, 'Dropstream-Video': 'vvv' });

test('after a break it goes on by itself from where the server has it', async () => {
  await begin();
  FakeXhr.last.progress(700, SIZE);
  await breakLine();
  expect([upload.state, upload.message, upload.pause]).toEqual(['lost', 'Connection lost.', 1]);
  expect(upload.sent).toBe(700);
  expect(upload.pending).toBe(true);

  await pass(1);
  expect(upload.state).toBe('asking');
  expect(upload.sent).toBe(700);
  await has(600);
  expect(upload.state).toBe('sending');
  expect(upload.sent).toBe(600);

  const patch = FakeXhr.last;
  expect([patch.method, patch.url]).toEqual(['PATCH', '/api/uploads/id0']);
  expect(patch.headers).toMatchObject({
    'Tus-Resumable': '1.0.0',
    'Upload-Offset': '600',
    'Content-Type': 'application/offset+octet-stream',
  });
  expect((patch.body as Blob).size).toBe(400);
  await stored();
  expect([upload.state, upload.videoId, upload.sent]).toEqual(['done', 'vvv', SIZE]);
  expect(told).toEqual(['remember id0 a.mp4', 'drop id0']);
});

test('speed and progress count from where it goes on', async () => {
  await begin();
  now = 1000;
  FakeXhr.last.progress(800, SIZE);
  expect(upload.speed).toBe(800);
  await breakLine();
  expect(upload.speed).toBe(0);
  await pass(1);
  now = 50_000;
  await has(100);
  expect(upload.eta).toBe(Infinity);
  now = 51_000;
  FakeXhr.last.progress(300, 900);
  expect([upload.sent, upload.speed, upload.eta]).toEqual([400, 300, 2]);
});

test('progress goes back only to what is true', async () => {
  await begin();
  FakeXhr.last.progress(500, SIZE);
  FakeXhr.last.progress(400, SIZE);
  expect(upload.sent).toBe(500);
  await breakLine();
  await pass(1);
  await has(450);
  expect(upload.sent).toBe(450);
  expect(shares).toEqual([0, 0, 0.5, 0.5, 0.45]); // waiting, sending, lost, asking, sending
});

test('pauses grow while nothing helps, and are short again once something has', async () => {
  await begin();
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    await breakLine();
    pauses.push(upload.pause);
    await pass(upload.pause);
  }
  expect(pauses).toEqual([1, 2, 4, 8, 15, 30, 30, 30]);
  await has(300);
  await breakLine();
  expect(upload.pause).toBe(1);
  await pass(1);
  await has(300); // nothing came in between
  await breakLine();
  expect(upload.pause).toBe(2);
});

test('nobody has to wait for a pause to end', async () => {
  await begin();
  for (let i = 0; i < 4; i++) {
    await breakLine();
    await pass(i < 3 ? upload.pause : 0);
  }
  expect(upload.pause).toBe(8);
  upload.hurry();
  await settle();
  expect([upload.state, FakeXhr.last.method]).toEqual(['asking', 'HEAD']);
});

test('hurry does nothing to an upload that is not lost', async () => {
  await begin();
  upload.hurry();
  expect([upload.state, FakeXhr.all.length]).toEqual(['sending', 1]);
});

test.each([500, 502, 503])('a server in trouble (%d) is waited for', async (status) => {
  await begin();
  await answer(status);
  expect([upload.state, upload.pause]).toEqual(['lost', 1]);
  expect(upload.message).toBe(`The server has a problem (${status}).`);
  await pass(1);
  await answer(status);
  expect(upload.state).toBe('lost');
  await pass(2);
  await has(10);
  await stored();
  expect(upload.state).toBe('done');
});

test('a line that says nothing any more is a broken one', async () => {
  await begin();
  FakeXhr.last.progress(100, SIZE);
  await pass(STALL_MS / 1000 - 1);
  FakeXhr.last.progress(200, SIZE);
  await pass(STALL_MS / 1000 - 1);
  expect(upload.state).toBe('sending');
  await pass(1);
  expect([upload.state, FakeXhr.last.aborted]).toEqual(['lost', true]);
  await pass(1);
  await pass(STALL_MS / 1000); // the question is not answered either
  expect(upload.state).toBe('lost');
  await pass(2);
  await has(200);
  FakeXhr.last.progress(400, 800);
  await pass(STALL_MS / 1000);
  expect(upload.state).toBe('lost');
});

test('a server may take its time to make a large file durable', async () => {
  await begin();
  FakeXhr.last.upload.onload!();
  await pass(FINISH_MS / 1000 - 1);
  expect(upload.state).toBe('finishing');
  await pass(1);
  expect(upload.state).toBe('lost');
});

test('an upload that was whole when its answer got lost is done', async () => {
  await begin();
  FakeXhr.last.upload.onload!();
  await breakLine();
  await pass(1);
  FakeXhr.last.answer(200, '', {
    ...{ 'Upload-Offset': `${SIZE}`, 'Upload-Length': `${SIZE}` },
    'Dropstream-Video': 'vvv',
  });
  await settle();
  expect([upload.state, upload.videoId]).toEqual(['done', 'vvv']);
  expect(FakeXhr.all.map((x) => x.method)).toEqual(['POST', 'HEAD']);
});

test.each([404, 410])('what the server does not know (%d) is begun anew', async (status) => {
  await begin();
  FakeXhr.last.progress(500, SIZE);
  await breakLine();
  await pass(1);
  await answer(status);
  expect(upload.state).toBe('lost');
  await pass(2);
  expect([upload.state, upload.sent]).toEqual(['sending', 0]);
  expect(FakeXhr.last.method).toBe('POST');
  expect(FakeXhr.last.form.get('upload_id')).toBe('id2');
  expect(told).toEqual(['remember id0 a.mp4', 'drop id0', 'remember id2 a.mp4']);
});

test('what is begun anew in vain goes without its index, which may be what is refused', async () => {
  await begin(fakeMp4('a.mp4', SIZE, 100));
  const fields = () => FakeXhr.last.form.has('index');
  expect(fields()).toBe(true);
  await breakLine();
  await pass(1);
  await answer(404);
  await pass(2);
  expect([FakeXhr.last.method, fields()]).toEqual(['POST', true]);
  await breakLine();
  await pass(4);
  await answer(404);
  await pass(8);
  expect([FakeXhr.last.method, fields()]).toEqual(['POST', false]);
});

test('what the server had, and has no more, was deleted by someone', async () => {
  await begin();
  await breakLine();
  await pass(1);
  await has(500);
  await answer(410);
  expect([upload.state, upload.message]).toEqual([
    'failed',
    'The video was deleted while it was uploaded.',
  ]);
});

test.each([413, 415, 507])('a refusal (%d) of the rest is final, and forgotten', async (status) => {
  await begin();
  await breakLine();
  await pass(1);
  await has(500);
  await answer(status, { error: { code: 'x', message: 'No.' } });
  expect([upload.state, upload.message, upload.pending]).toEqual(['failed', 'No.', false]);
  expect(told.at(-1)).toBe('forget id0');
  await pass(100);
  expect(upload.state).toBe('failed');
});

test('an answer that somebody else gave in the server’s place ends nothing', async () => {
  await begin();
  await breakLine();
  await pass(1);
  await answer(200, '<html>Sign in to this hotel</html>');
  expect(upload.state).toBe('lost');
});

test('cancelled in a pause, it is forgotten and never heard of again', async () => {
  await begin();
  await breakLine();
  upload.cancel();
  expect(told.at(-1)).toBe('forget id0');
  await pass(100);
  expect(FakeXhr.all).toHaveLength(1);
});

test('cancelled while the server is asked, it is aborted', async () => {
  await begin();
  await breakLine();
  await pass(1);
  upload.cancel();
  expect([FakeXhr.last.method, FakeXhr.last.aborted]).toEqual(['HEAD', true]);
  await pass(100);
  expect(FakeXhr.all).toHaveLength(2);
});

test('a file that is gone is not waited for', async () => {
  const file = fakeMp4('a.mp4', SIZE);
  await begin(file);
  vanish(file);
  await breakLine();
  expect([upload.state, upload.pause]).toEqual(['failed', 0]);
  expect(upload.message).toContain('moved or changed');
  expect(told.at(-1)).toBe('release id0');
});

test('a file that an earlier page had begun with goes on from there', async () => {
  earlier = 'id0';
  await begin();
  expect([upload.state, upload.sent]).toEqual(['asking', 0]);
  await has(800);
  expect(upload.sent).toBe(800);
  expect((FakeXhr.last.body as Blob).size).toBe(200);
  await stored();
  expect(told).toEqual(['drop id0']);
  expect(FakeXhr.all.map((x) => x.method)).toEqual(['HEAD', 'PATCH']);
});

test('… and from its beginning if the server has forgotten it', async () => {
  earlier = 'id0';
  await begin();
  await answer(404);
  await pass(1);
  expect(FakeXhr.last.form.get('upload_id')).toBe('id1');
  expect(told).toEqual(['drop id0', 'remember id1 a.mp4']);
});

test('what goes on on a site with chunks goes on in chunks', async () => {
  chunk = 300;
  await begin();
  await breakLine();
  await pass(1);
  await has(600);
  expect((FakeXhr.last.body as Blob).size).toBe(300);
  await stored(900);
  expect([upload.state, upload.sent]).toEqual(['sending', 900]);
  expect((FakeXhr.last.body as Blob).size).toBe(100);
  await stored();
  expect(upload.state).toBe('done');
});

test('whoever is not signed in any more signs in again, and it goes on from where it was', async () => {
  await begin();
  FakeXhr.last.progress(700, SIZE);
  await answer(401, { error: { code: 'sign_in', message: 'Sign in.' } });
  expect([upload.state, upload.pending, upload.sent]).toEqual(['barred', true, 700]);
  expect(upload.message).toBe('You are not signed in any more. Sign in, and it goes on.');
  await pass(100);
  expect(FakeXhr.all).toHaveLength(1); // nothing by itself
  upload.hurry();
  expect(FakeXhr.all).toHaveLength(1);

  upload.resume();
  await settle();
  await answer(401);
  expect(upload.state).toBe('barred');
  upload.resume();
  await settle();
  await has(600);
  expect([upload.state, upload.sent]).toEqual(['sending', 600]);
  await answer(401);
  upload.resume();
  await settle();
  await has(600);
  await stored();
  expect([upload.state, told]).toEqual(['done', ['remember id0 a.mp4', 'drop id0']]);
});

test('whoever may not upload any more is told so, and nothing is lost', async () => {
  await begin();
  await answer(403, { error: { code: 'forbidden', message: 'You may watch here, and no more.' } });
  expect([upload.state, upload.message]).toEqual(['barred', 'You may watch here, and no more.']);
  expect(told).toEqual(['remember id0 a.mp4']);
});

test('resume does nothing to an upload that is not barred', async () => {
  await begin();
  upload.resume();
  expect([upload.state, FakeXhr.all.length]).toEqual(['sending', 1]);
});

test('what is left is kept for whoever comes back to it', async () => {
  await begin();
  FakeXhr.last.progress(700, SIZE);
  upload.leave();
  expect(FakeXhr.last.aborted).toBe(true);
  await settle();
  expect(told).toEqual(['remember id0 a.mp4', 'release id0']);
  expect(FakeXhr.all).toHaveLength(1);
});
