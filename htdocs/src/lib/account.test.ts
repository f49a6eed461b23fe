import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Account } from './account.svelte';
import { Shares } from './shares.svelte';

/** What the server has, by path. */
let server: Record<string, unknown>;
let asked: string[];
let refusal: [number, unknown] | null;

beforeEach(() => {
  asked = [];
  refusal = null;
  vi.stubGlobal('fetch', async (path: string, { method = 'GET', body }: RequestInit) => {
    asked.push(`${method} ${path}${body ? ` ${body}` : ''}`);
    if (refusal && method !== 'GET') return { status: refusal[0], text: async () => JSON.stringify(refusal![1]) };
    const answer = method === 'GET' ? server[path] : method === 'DELETE' ? undefined : server[`${method} ${path}`];
    return { status: 200, text: async () => (answer === undefined ? '' : JSON.stringify(answer)) };
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

test('a token is told once, and no list has it', async () => {
  const account = new Account();
  server = {
    'POST /api/tokens': { n: 3, label: 'curl', token: 'secret' },
    '/api/tokens': { tokens: [{ n: 3, label: 'curl' }] },
  };
  expect(await account.addToken({ label: 'curl', scopes: ['upload'], expires_in: null })).toBe('secret');
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
