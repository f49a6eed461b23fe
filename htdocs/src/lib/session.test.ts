import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { errorFrom, getVideo } from './api';
import type { PollHost } from './poll';
import { Session } from './session.svelte';
import { takeSetupToken } from './setup_link';

const ADA = { name: 'ada', role: 'member' };
const host: PollHost = {
  visible: () => true,
  onVisibility: (changed) => {
    seen = changed;
    return () => {};
  },
  later: (fn, ms) => {
    delays.push(ms);
    return later.push(fn);
  },
  cancel: () => {},
};
let seen: () => void;
let later: (() => void)[];
let delays: number[];
/** What the server says next to each "METHOD path". */
let answers: Record<string, [number, unknown]>;
let asked: string[];
let stop: () => void;

const settle = () => new Promise((done) => setTimeout(done));
const who = (user: unknown, over = {}) => ({ user, auth: 'required', setup: false, ...over });

beforeEach(() => {
  later = [];
  delays = [];
  asked = [];
  answers = { 'GET /api/session': [200, who(ADA)] };
  vi.stubGlobal('fetch', async (path: string, { method }: RequestInit) => {
    asked.push(`${method} ${path}`);
    const [status, body] = answers[`${method} ${path}`] ?? [404, ''];
    return { status, text: async () => (body === '' ? '' : JSON.stringify(body)) };
  });
});
afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

async function begun(): Promise<Session> {
  const session = new Session(host);
  stop = session.start();
  await settle();
  return session;
}
const signIn: [number, unknown] = [401, { error: { code: 'sign_in', message: 'Sign in.' } }];

test('who is signed in is asked once, and each hour again, so that the cookie is renewed', async () => {
  const session = await begun();
  expect(session.user).toEqual(ADA);
  expect([session.known, session.accounts, session.mayUpload, session.isOwner]).toEqual([true, true, true, false]);
  expect(asked).toEqual(['GET /api/session']);
  expect(delays).toEqual([3_600_000]);
  later[0]!();
  await settle();
  expect(asked).toEqual(['GET /api/session', 'GET /api/session']);
  expect([session.user, session.expired, delays]).toEqual([ADA, false, [3_600_000, 3_600_000]]);
});

test('a server that does not answer is asked again', async () => {
  answers = { 'GET /api/session': [500, ''] };
  const session = await begun();
  expect(session.known).toBe(false);
  expect(session.problem).not.toBe('');
  answers = { 'GET /api/session': [200, who(null)] };
  later[0]!();
  await settle();
  expect([session.known, session.user, session.problem, session.expired]).toEqual([true, null, '', false]);
});

test('a session that has ended is noticed by any answer, and its user stays known', async () => {
  const session = await begun();
  answers = { 'GET /api/session': [200, who(null)], 'GET /api/videos/x': signIn };
  await expect(getVideo('x')).rejects.toThrow('Sign in.');
  await settle();
  expect([session.expired, session.user]).toEqual([true, ADA]);
  answers['POST /api/session'] = [201, who(ADA)];
  await session.signIn('ada', 'secret');
  expect([session.expired, session.user]).toEqual([false, ADA]);
});

test('an answer to what was asked before signing in again leads to a look, and no more', async () => {
  const session = await begun();
  expect(session.confirmed).toBe(1);
  errorFrom(401, '');
  await settle();
  expect([session.expired, session.confirmed]).toEqual([false, 2]);
});

test('what is sent by other ways than fetch ends in the same place', async () => {
  const session = await begun();
  answers = { 'GET /api/session': [200, who(null)] };
  errorFrom(401, '');
  await settle();
  expect(session.expired).toBe(true);
});

test('a wrong password, or that of a share, says nothing of the session', async () => {
  await begun();
  for (const code of ['bad_login', 'password', 'bad_password', 'bad_token'])
    errorFrom(401, JSON.stringify({ error: { code, message: 'No.' } }));
  await settle();
  expect(asked).toHaveLength(1);
});

test('signing out is no session that has expired', async () => {
  const session = await begun();
  answers['DELETE /api/session'] = [204, ''];
  await session.signOut();
  expect([session.user, session.expired]).toEqual([null, false]);
});

test('an answer of before signing in counts no more', async () => {
  const session = await begun();
  let late: (value: unknown) => void = () => {};
  vi.stubGlobal('fetch', (_: string, { method }: RequestInit) => {
    const answer = (body: unknown) => ({ status: 200, text: async () => JSON.stringify(body) });
    if (method === 'POST') return Promise.resolve(answer(who({ name: 'bob', role: 'owner' })));
    return new Promise((resolve) => (late = () => resolve(answer(who(null)))));
  });
  seen();
  await session.signIn('bob', 'secret');
  late(null);
  await settle();
  expect([session.user?.name, session.expired, session.isOwner]).toEqual(['bob', false, true]);
});

test('somebody else who has signed in on another page is noticed when this one is seen', async () => {
  const session = await begun();
  answers = { 'GET /api/session': [200, who({ name: 'bob', role: 'viewer' })] };
  seen();
  await settle();
  expect([session.user?.name, session.mayUpload]).toEqual(['bob', false]);
});

test('on a site without accounts everybody may do everything', async () => {
  answers = { 'GET /api/session': [200, who({ name: '', role: 'owner' }, { auth: 'none' })] };
  const session = await begun();
  expect([session.accounts, session.isOwner, session.mayUpload]).toEqual([false, true, true]);
});

test('the secret of a set-up link leaves the address bar', () => {
  stop = () => {};
  const replaceState = vi.fn();
  expect(takeSetupToken({ hash: '#setup=abc234', pathname: '/login' }, { replaceState })).toBe('abc234');
  expect(replaceState).toHaveBeenCalledWith(null, '', '/login');
  expect(takeSetupToken({ hash: '#main', pathname: '/login' }, { replaceState })).toBe('');
  expect(replaceState).toHaveBeenCalledTimes(1);
});
