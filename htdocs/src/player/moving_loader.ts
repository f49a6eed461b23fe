/**
 * hls.js's loader, but what it is told to fetch is fetched under the key of today
 * (media_address.ts). hls.js itself never learns that an address has changed: it neither
 * begins anew nor waits.
 */
import Hls from 'hls.js';
import type { HlsConfig, Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext } from 'hls.js';

import type { MediaAddress } from './media_address';
import { isGone } from './nurse';

type Inner = Loader<LoaderContext>;

/** The kind of loader that a player has whose media are at this address. inner: what does the
 * work. */
export function movingLoader(
  address: MediaAddress,
  inner: new (config: HlsConfig) => Inner = Hls.DefaultConfig.loader,
): HlsConfig['loader'] {
  return class MovingLoader implements Inner {
    #config: HlsConfig;
    #inner: Inner;
    #stopped = false;
    #again = false;
    context: LoaderContext | null = null;
    /** hls.js holds on to this one. */
    stats: Inner['stats'];

    constructor(config: HlsConfig) {
      this.#config = config;
      this.#inner = new inner(config);
      this.stats = this.#inner.stats;
    }

    load(context: LoaderContext, how: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      this.context = context;
      const url = address.of(context.url);
      const { onSuccess, onError, onTimeout, onAbort, onProgress } = callbacks;
      const told: LoaderCallbacks<LoaderContext> = {
        // The address that hls.js knows is the one that it finds others by.
        onSuccess: (response, stats, _context, xhr) =>
          onSuccess({ ...response, url: context.url }, stats, context, xhr),
        onTimeout: (stats, _context, xhr) => onTimeout(stats, context, xhr),
        onError: (error, _context, xhr, stats) => {
          const give = (code = error.code) => onError({ ...error, code }, context, xhr, stats);
          if (!isGone(error.code)) return give();
          void address.look(url).then((finding) => {
            if (this.#stopped) return;
            // Being asked may also have renewed what the server knows the viewer by.
            if (finding === 'moved' || (finding === 'same' && !this.#again)) {
              this.#tryAgain(context, how, callbacks);
            } else if (finding === 'same') give();
            // As of a server in trouble: it is to be tried again.
            else if (finding === 'unknown') give(503);
            // Lost: nothing comes of it, and hls.js waits for ever.
          });
        },
      };
      if (onAbort) told.onAbort = (stats, _context, xhr) => onAbort(stats, context, xhr);
      if (onProgress) told.onProgress = (stats, _context, data, xhr) => onProgress(stats, context, data, xhr);
      this.#inner.load({ ...context, url }, how, told);
    }

    abort(): void {
      this.#stopped = true;
      this.#inner.abort();
    }
    destroy(): void {
      this.#stopped = true;
      this.#inner.destroy();
      this.context = null;
    }
    getCacheAge(): number | null {
      return this.#inner.getCacheAge?.() ?? null;
    }
    getResponseHeader(name: string): string | null {
      return this.#inner.getResponseHeader?.(name) ?? null;
    }

    #tryAgain(context: LoaderContext, how: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      this.#again = true;
      // One that has failed cannot be used again, and would take the figures with it.
      this.#inner = new inner(this.#config);
      this.stats.loading.start = 0;
      this.#inner.stats = this.stats;
      this.load(context, how, callbacks);
    }
  };
}
