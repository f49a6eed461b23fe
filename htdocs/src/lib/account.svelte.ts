/** What the account page shows, and does. All that it does rejects with what to say. */
import * as api from './account_api';
import type { ApiError } from './api';
import { Listing } from './listing.svelte';
import { afterRemoval, afterRoleChange } from './roles';

/** It has ended by itself meanwhile. */
const unlessGone = (e: ApiError) => {
  if (e.status !== 404) throw e;
};

export class Account {
  readonly sessions = new Listing(api.listSessions);
  readonly tokens = new Listing(api.listTokens);
  /** Of the whole site; for owners. */
  readonly users = new Listing(api.listUsers);
  #told = $state('');

  /** What has come of the last change of a user; "" if there is nothing to say. */
  get told(): string {
    return this.#told;
  }

  endSession(n: number): Promise<void> {
    return this.sessions.change(() => api.endOther(n));
  }
  /** All but the one that asks. */
  async endOtherSessions(): Promise<void> {
    const others = (await api.listSessions()).filter(({ current }) => !current);
    try {
      for (const { n } of others) await api.endOther(n).catch(unlessGone);
    } finally {
      await this.sessions.load();
    }
  }

  addToken(token: api.NewToken): Promise<api.MadeToken> {
    return this.tokens.change(() => api.addToken(token));
  }
  removeToken(n: number): Promise<void> {
    return this.tokens.change(() => api.deleteToken(n));
  }

  /** One's own. Other sessions end by it, and all tokens. */
  async changePassword(name: string, old: string, password: string): Promise<void> {
    await api.changePassword(name, { password, old_password: old });
    await Promise.all([this.sessions.load(), this.tokens.load()]);
  }

  async addUser(name: string, password: string, role: api.Role): Promise<void> {
    await this.users.change(() => api.addUser(name, password, role));
  }
  async setRole(name: string, role: api.Role): Promise<void> {
    this.#told = '';
    await this.users.change(async () => {
      this.#told = afterRoleChange(name, role, await api.setRole(name, role));
    });
  }
  async setPassword(name: string, password: string): Promise<void> {
    await this.users.change(() => api.changePassword(name, { password }));
  }
  async removeUser(name: string): Promise<void> {
    this.#told = '';
    await this.users.change(async () => {
      this.#told = afterRemoval(name, await api.deleteUser(name));
    });
  }
}
