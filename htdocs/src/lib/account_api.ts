/** The client of what is about people: who is signed in, sessions, tokens, users. Like api.ts. */
import { call, requestJson, type Answer } from './api';

export type Role = 'owner' | 'member' | 'viewer';

/** Who is signed in, and on what kind of site. */
export interface Who {
  user: { name: string; role: Role } | null;
  /** none: there are no accounts, and everybody is its owner. */
  auth: 'required' | 'none';
  /** Nobody has set the site up yet. */
  setup: boolean;
}

export interface SessionRow {
  n: number;
  created_at: string;
  used_at: string;
  expires_at: string;
  /** The User-Agent that began it, and from where: whatever the client said. */
  agent: string;
  address: string;
  current: boolean;
}

export type Scope = 'read' | 'upload' | 'admin';

export interface TokenRow {
  n: number;
  label: string;
  scopes: Scope[];
  created_at: string;
  /** null: never. */
  expires_at: string | null;
  used_at: string | null;
}

/** With the token itself, which nobody is told again. */
export type MadeToken = TokenRow & { token: string };

export interface NewToken {
  label: string;
  scopes: Scope[];
  /** Seconds; null: it does not expire. */
  expires_in: number | null;
}

export interface UserRow {
  name: string;
  role: Role;
  created_at: string;
}

export const getSession = (): Promise<Who> => call('GET', '/api/session');
export const beginSession = (name: string, password: string): Promise<Who> =>
  call('POST', '/api/session', { name, password });
export const endSession = (): Promise<void> => call('DELETE', '/api/session');

/** token: of the set-up link. */
export const setUpSite = (token: string, name: string, password: string): Promise<Who> =>
  call('POST', '/api/setup', { token, name, password });

export const listSessions = async (): Promise<SessionRow[]> =>
  (await call<{ sessions: SessionRow[] }>('GET', '/api/sessions')).sessions;
export const endOther = (n: number): Promise<void> => call('DELETE', `/api/sessions/${n}`);

export const listTokens = async (): Promise<TokenRow[]> =>
  (await call<{ tokens: TokenRow[] }>('GET', '/api/tokens')).tokens;
export const addToken = (token: NewToken): Promise<MadeToken> =>
  call('POST', '/api/tokens', token);
export const deleteToken = (n: number): Promise<void> => call('DELETE', `/api/tokens/${n}`);

const userAt = (name: string) => `/api/users/${encodeURIComponent(name)}`;

export const listUsers = async (): Promise<UserRow[]> =>
  (await call<{ users: UserRow[] }>('GET', '/api/users')).users;
export const addUser = (name: string, password: string, role: Role): Promise<UserRow> =>
  call('POST', '/api/users', { name, password, role });
export const changePassword = (
  name: string,
  change: { password: string; old_password?: string },
): Promise<UserRow> => call('PATCH', userAt(name), change);

/** How many links that a user had made to videos of others have ended. */
const sharesEnded = ({ headers }: Answer) => Number(headers.get('Dropstream-Shares-Ended')) || 0;

export const setRole = async (name: string, role: Role): Promise<number> =>
  sharesEnded(await requestJson('PATCH', userAt(name), { role }));
export const deleteUser = async (name: string): Promise<number> =>
  sharesEnded(await requestJson('DELETE', userAt(name)));
