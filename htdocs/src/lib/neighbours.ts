/**
 * Other pages of this site in the same browser, who say by BroadcastChannel which uploads
 * they are busy with: those are not unfinished, and nobody else's to go on with. A page
 * that has gone says nothing, however it went.
 */

/** What pages say to each other. */
interface Word {
  ask?: true;
  busy?: string[];
}

/** A page answers within this time, be it in the background. */
const ANSWER_MS = 200;

/** As much of a BroadcastChannel as is used. */
export type Channel = Pick<BroadcastChannel, 'addEventListener' | 'postMessage'>;

export class Neighbours {
  #heard = new Set<string>();
  #asking: Promise<ReadonlySet<string>> | null = null;

  /** mine: what this page is busy with. */
  constructor(
    mine: () => string[],
    private readonly channel: Channel = new BroadcastChannel('dropstream-uploads'),
  ) {
    channel.addEventListener('message', ({ data }) => {
      const word = data as Word;
      if (word.ask) channel.postMessage({ busy: mine() } satisfies Word);
      for (const uploadId of word.busy ?? []) this.#heard.add(uploadId);
    });
  }

  /** Which uploads all others are busy with. */
  busy(): Promise<ReadonlySet<string>> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<ReadonlySet<string>> {
    this.#heard = new Set();
    this.channel.postMessage({ ask: true } satisfies Word);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    return this.#heard;
  }
}
