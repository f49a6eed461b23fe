/** The activity log as it grows: the newest entries first, a bounded number of them. */
import * as api from './api';
import { Poller } from './poll';

const KEEP = 1000;

export class Activity {
  #entries = $state.raw<api.ActivityEntry[]>([]);
  #loaded = $state(false);
  #problem = $state('');
  #after: number | null = null;
  // A log is there to be watched: look every second while the page is in view.
  #poller = new Poller({ run: () => this.refresh(), active: () => true });

  get entries(): readonly api.ActivityEntry[] {
    return this.#entries;
  }
  get loaded(): boolean {
    return this.#loaded;
  }
  get problem(): string {
    return this.#problem;
  }

  start(): void {
    this.#poller.start();
  }
  stop(): void {
    this.#poller.stop();
  }

  async refresh(): Promise<boolean> {
    try {
      const page = await api.listActivity(this.#after);
      if (page.activity.length > 0) {
        this.#entries = [...page.activity.reverse(), ...this.#entries].slice(0, KEEP);
      }
      this.#after = page.next ?? this.#after;
      this.#loaded = true;
      this.#problem = '';
      return true;
    } catch (e) {
      this.#problem = (e as Error).message;
      return false;
    }
  }
}
