import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Account } from './account.svelte';
import { Shares } from './shares.svelte';

/** What the server has, by path. */
let server: Record<string, unknown>;
let asked: string[];
let refusal: [number, unknown] | null;
/** Links that end by each change. */
let ended: string;

beforeEach(() => {
  asked = [];
  refusal = null;
  ended = '0';
  vi.stubGlobal('fetch', async (path: string, { method = 'GET', body }: RequestInit) => {
    asked.push(`${method} ${path}${body ? ` ${body}` : ''}`);
    if (refusal && method !== 'GET') return { status: refusal[0], text: async () => JSON.stringify(refusal![1]) };
    const answer = method === 'GET' ? server[path] : method === 'DELETE' ? undefined : server[`${method} ${path}`];
    const headers = new Headers(method === 'GET' ? {} : { 'Dropstream-Shares-Ended': ended });
    return { status: 200, headers, text: async () => (answer === undefined ? '' : JSON.stringify(answer)) };
  });
});
afterEach(() => vi.unstubAllGlobals());

test('what is ended or made is seen in the list that is read after it', async () => {
  const account = new Account();
  server = { '/api/sessions': { sessions: [{ n: 1 }, { n: 2 }] } };
  await account.sessions.load();
  expect([account.sessions.items, account.sessions.loaded]).toEqual([[{ n: 1 }, { n: 2 }], true]);
  server = { '/api/sessions': { sessions: [{ n: 1 }] } };
  await account.endSession(2);
  expect(account.sessions.items).toEqual([{ n: 1 }]);
  expect(asked).toEqual(['GET /api/sessions', 'DELETE /api/sessions/2', 'GET /api/sessions']);
});

test('all other sessions end, also where one of them has ended by itself', async () => {
  const account = new Account();
  const all = [{ n: 1, current: false }, { n: 2, current: true }, { n: 3, current: false }];
  server = { '/api/sessions': { sessions: all } };
  const ends = () => asked.filter((what) => what.startsWith('DELETE'));
  await account.endOtherSessions();
  expect(ends()).toEqual(['DELETE /api/sessions/1', 'DELETE /api/sessions/3']);
  expect(asked.at(-1)).toBe('GET /api/sessions');
  asked = [];
  refusal = [404, { error: { code: 'not_found', message: 'There is none.' } }];
  await account.endOtherSessions();
  expect(ends()).toHaveLength(2);
  refusal = [503, { error: { code: 'busy', message: 'Not now.' } }];
  await expect(account.endOtherSessions()).rejects.toThrow('Not now.');
  expect(asked.at(-1)).toBe('GET /api/sessions');
});

test('a token is told once, and no list has it', async () => {
  const account = new Account();
  server = {
    'POST /api/tokens': { n: 3, label: 'curl', token: 'secret' },
    '/api/tokens': { tokens: [{ n: 3, label: 'curl' }] },
  };
  const made = await account.addToken({ label: 'curl', scopes: ['upload'], expires_in: null });
  expect([made.n, made.token]).toEqual([3, 'secret']);
  expect(asked[0]).toBe('POST /api/tokens {"label":"curl","scopes":["upload"],"expires_in":null}');
  expect(JSON.stringify(account.tokens.items)).not.toContain('secret');
});

test('what is refused is said, and the list stays as it was', async () => {
  const account = new Account();
  server = { '/api/users': { users: [{ name: 'ada', role: 'owner' }] } };
  await account.users.load();
  refusal = [409, { error: { code: 'last_owner', message: 'Somebody has to own the site.' } }];
  await expect(account.setRole('ada', 'viewer')).rejects.toThrow('Somebody has to own the site.');
  expect(account.users.items).toEqual([{ name: 'ada', role: 'owner' }]);
  expect(account.told).toBe('');
});

test('of a change of a user it is told how many links have ended by it', async () => {
  const account = new Account();
  server = { '/api/users': { users: [] }, 'PATCH /api/users/bob': { name: 'bob', role: 'member' } };
  await account.setRole('bob', 'member');
  expect(account.told).toBe('bob is a member now.');
  ended = '1';
  await account.setRole('bob', 'member');
  expect(account.told).toBe('bob is a member now. One link of bob to videos of others ended by it.');
  ended = '3';
  await account.removeUser('bob');
  expect(account.told).toBe('bob has no account any more. 3 links of bob to videos of others ended by it.');
});

test('names are put into addresses as they are meant', async () => {
  server = { '/api/users': { users: [] } };
  await new Account().removeUser('a.b-c/..');
  expect(asked[0]).toBe('DELETE /api/users/a.b-c%2F..');
});

test('the links of a video', async () => {
  const shares = new Shares('vvvv');
  server = { 'POST /api/videos/vvvv/shares': { token: 't' }, '/api/videos/vvvv/shares': { shares: [{ token: 't' }] } };
  const made = await shares.add({ expires_in: 60, password: null, download: false, embed: ['https://a.org'] });
  expect([made.token, shares.items.length]).toEqual(['t', 1]);
  server['/api/videos/vvvv/shares'] = { shares: [] };
  await shares.revoke('t');
  expect([shares.items, asked.at(-2)]).toEqual([[], 'DELETE /api/shares/t']);
});

test('a list that cannot be read says why', async () => {
  vi.stubGlobal('fetch', async () => Promise.reject(new Error()));
  const shares = new Shares('vvvv');
  await shares.load();
  expect([shares.loaded, shares.problem]).toEqual([false, 'The server does not answer.']);
});
