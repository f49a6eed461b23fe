/** How the site's disk and jail are, for those who are told: kept up to date by polling. */
import * as api from './api';
import { Poller } from './poll';

export class SiteHealth {
  #health = $state.raw<api.Health | null>(null);
  #poller = new Poller({ run: () => this.refresh(), active: () => false });

  /** null: one is not told, or nobody has answered yet. */
  get disk(): api.DiskUse | null {
    return this.#health?.disk ?? null;
  }

  /** What the jail of programs that read uploads lacks, as a sentence; '': nothing that one
   *  is told of. */
  get lacks(): string {
    return this.#health?.jail?.lacks ?? '';
  }

  start(): void {
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }

  /** What was known stays, where there is no answer. */
  async refresh(): Promise<boolean> {
    try {
      this.#health = await api.getHealth();
      return true;
    } catch {
      return false;
    }
  }
}
