/**
 * How hls.js is told to behave on a site that makes segments while they are watched.
 * A segment that does not exist yet answers 503, and will exist: hls.js must go on
 * asking, where by default it gives up after six times and for good.
 */
import type Hls from 'hls.js';
import type { ErrorData, HlsConfig, RetryConfig } from 'hls.js';

/** For ever, at an even pace: 'linear' does not slow down. */
const RETRY: RetryConfig = {
  maxNumRetry: Infinity,
  retryDelayMs: 700,
  maxRetryDelayMs: 700,
  backoff: 'linear',
};

export const SETTINGS: Partial<HlsConfig> = {
  // The segments are MP4 already; there is nothing for a worker to remux.
  enableWorker: false,
  fragLoadPolicy: {
    default: {
      // The server holds a request for a missing segment for up to 8 s.
      maxTimeToFirstByteMs: 15_000,
      maxLoadTimeMs: 120_000,
      timeoutRetry: RETRY,
      errorRetry: RETRY,
    },
  },
};

const RESTART_MS = 1000;
const RECOVERIES = 3;
/** Played this long without a decoding error, earlier ones are forgotten. */
const FORGET_MS = 30_000;

/**
 * Brings hls back after every fatal error that can be brought back from. ongiveup is
 * called when it cannot: this browser does not decode this video.
 */
export function keepAlive(hls: Hls, events: typeof Hls.Events, ongiveup: () => void): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let recoveries = 0;
  let lastRecovery = 0;

  function restart() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Without levels it is the master playlist that could not be had.
      if (hls.levels.length === 0 && hls.url) hls.loadSource(hls.url);
      hls.startLoad();
    }, RESTART_MS);
  }

  function recover() {
    const now = performance.now();
    if (now - lastRecovery > FORGET_MS) recoveries = 0;
    lastRecovery = now;
    recoveries += 1;
    if (recoveries <= RECOVERIES) hls.recoverMediaError();
    else ongiveup();
  }

  hls.on(events.ERROR, (_event: unknown, data: ErrorData) => {
    if (!data.fatal) return;
    if (data.type === 'networkError') restart();
    else if (data.type === 'mediaError') recover();
    else ongiveup();
  });
  hls.on(events.DESTROYING, () => clearTimeout(timer));
}
