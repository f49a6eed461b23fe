/**
 * Who is signed in. A session that ends while the page is open is noticed with the next
 * answer, whatever was asked: then the page asks to sign in, where one is, and goes on.
 */
import { beginSession, endSession, getSession, setUpSite, type Who } from './account_api';
import { onSignedOut } from './api';
import { Poller, type PollHost } from './poll';

/** With each answer the browser is told anew until when its cookie lasts. */
const RENEW_MS = 3_600_000;

export type User = NonNullable<Who['user']>;

export class Session {
  #user = $state.raw<User | null>(null);
  #known = $state(false);
  #expired = $state(false);
  #accounts = $state(true);
  #unset = $state(false);
  #problem = $state('');
  #confirmed = $state(0);
  #turn = 0;
  #poller: Poller;

  constructor(host?: PollHost) {
    // Once it is known, only what the server says to other questions gives reason to ask
    // again, or another page of the site, where somebody else may have signed in meanwhile;
    // and that a page which is never left would outlive its cookie.
    const run = () => this.#refresh();
    const task = { run, active: () => true, over: () => true, restMs: RENEW_MS };
    this.#poller = new Poller(task, host);
  }

  /** False until the server has said who it is. */
  get known(): boolean {
    return this.#known;
  }
  /** null: nobody. One whose session has ended stays, see expired. */
  get user(): User | null {
    return this.#user;
  }
  /** The session has ended, but not because one wanted it to. */
  get expired(): boolean {
    return this.#expired;
  }
  /** Grows each time that the server says somebody is signed in. */
  get confirmed(): number {
    return this.#confirmed;
  }
  /** False on a site without accounts, where everybody may do everything. */
  get accounts(): boolean {
    return this.#accounts;
  }
  /** Nobody has set the site up yet. */
  get unset(): boolean {
    return this.#unset;
  }
  /** Why it is not known; "" if it is. */
  get problem(): string {
    return this.#problem;
  }

  get isOwner(): boolean {
    return this.#user?.role === 'owner';
  }
  /** Neither uploads nor the log are for those who only watch. */
  get mayUpload(): boolean {
    return this.#user !== null && this.#user.role !== 'viewer';
  }

  /** Begins to ask, and to listen; returns how to stop. */
  start(): () => void {
    onSignedOut(() => this.#poller.kick());
    this.#poller.start();
    return () => {
      onSignedOut(() => {});
      this.#poller.stop();
    };
  }

  /** Rejects with what to say. */
  async signIn(name: string, password: string): Promise<void> {
    this.#begin(await beginSession(name, password));
  }

  /** Makes the first owner; token: of the set-up link. Rejects with what to say. */
  async setUp(token: string, name: string, password: string): Promise<void> {
    this.#begin(await setUpSite(token, name, password));
  }

  async signOut(): Promise<void> {
    await endSession();
    this.forget();
  }

  /** There is no session any more, as one wanted. */
  forget(): void {
    this.#turn += 1;
    this.#user = null;
    this.#expired = false;
  }

  async #refresh(): Promise<boolean> {
    const turn = this.#turn;
    try {
      const who = await getSession();
      if (turn === this.#turn) this.#take(who);
      return true;
    } catch (e) {
      this.#problem = (e as Error).message;
      return false;
    }
  }

  #begin(who: Who): void {
    this.#turn += 1;
    this.#take(who);
  }

  #take({ user, auth, setup }: Who): void {
    this.#accounts = auth === 'required';
    this.#unset = setup;
    this.#problem = '';
    this.#known = true;
    this.#expired = user === null && this.#user !== null;
    if (user === null) return;
    this.#confirmed += 1;
    if (!isSame(user, this.#user)) this.#user = user;
  }
}

const isSame = (one: User, other: User | null) =>
  one.name === other?.name && one.role === other.role;
