/** What the account page shows, and does. All that it does rejects with what to say. */
import * as api from './account_api';
import { Listing } from './listing.svelte';

export class Account {
  readonly sessions = new Listing(api.listSessions);
  readonly tokens = new Listing(api.listTokens);
  /** Of the whole site; for owners. */
  readonly users = new Listing(api.listUsers);

  endSession(n: number): Promise<void> {
    return this.sessions.change(() => api.endOther(n));
  }

  /** The token itself, which nobody is ever told again. */
  async addToken(token: api.NewToken): Promise<string> {
    return (await this.tokens.change(() => api.addToken(token))).token;
  }
  removeToken(n: number): Promise<void> {
    return this.tokens.change(() => api.deleteToken(n));
  }

  /** One's own. Other sessions end by it, and all tokens. */
  async changePassword(name: string, old: string, password: string): Promise<void> {
    await api.changeUser(name, { password, old_password: old });
    await Promise.all([this.sessions.load(), this.tokens.load()]);
  }

  async addUser(name: string, password: string, role: api.Role): Promise<void> {
    await this.users.change(() => api.addUser(name, password, role));
  }
  async setRole(name: string, role: api.Role): Promise<void> {
    await this.users.change(() => api.changeUser(name, { role }));
  }
  async setPassword(name: string, password: string): Promise<void> {
    await this.users.change(() => api.changeUser(name, { password }));
  }
  removeUser(name: string): Promise<void> {
    return this.users.change(() => api.deleteUser(name));
  }
}
