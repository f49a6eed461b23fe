/** How much of the site's disk is used, for those who are told: kept up to date by polling. */
import * as api from './api';
import { Poller } from './poll';

export class Disk {
  #use = $state.raw<api.DiskUse | null>(null);
  #poller = new Poller({ run: () => this.refresh(), active: () => false });

  /** null: one is not told, or nobody has answered yet. */
  get use(): api.DiskUse | null {
    return this.#use;
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
      this.#use = (await api.getHealth()).disk ?? null;
      return true;
    } catch {
      return false;
    }
  }
}
