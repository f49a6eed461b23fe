/** A short list that the server keeps: read when it is looked at, and again after each change. */
export class Listing<T> {
  #items = $state.raw<readonly T[]>([]);
  #loaded = $state(false);
  #problem = $state('');
  #turn = 0;

  constructor(private readonly read: () => Promise<T[]>) {}

  get items(): readonly T[] {
    return this.#items;
  }
  /** False until the first answer. */
  get loaded(): boolean {
    return this.#loaded;
  }
  /** Why it could not be read; "" if it was. */
  get problem(): string {
    return this.#problem;
  }

  async load(): Promise<void> {
    const turn = ++this.#turn;
    try {
      const items = await this.read();
      if (turn !== this.#turn) return;
      this.#items = items;
      this.#loaded = true;
      this.#problem = '';
    } catch (e) {
      if (turn === this.#turn) this.#problem = (e as Error).message;
    }
  }

  /** Does something about it, and reads it anew. Rejects if that could not be done. */
  async change<R>(act: () => Promise<R>): Promise<R> {
    const result = await act();
    await this.load();
    return result;
  }
}
