/**
 * How hls.js is told to behave on a site that makes segments while they are watched.
 * A segment that does not exist yet answers 503, and will exist: hls.js must go on
 * asking, where by default it gives up after six times and for good.
 */
import type Hls from 'hls.js';
import type { ErrorData, ErrorDetails, ErrorTypes, HlsConfig, MediaAttachedData, RetryConfig } from 'hls.js';

import { isGone, Nurse, RESTART_MS, type Treatment } from './nurse';
import { SESSION_ID } from './session';

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
  // Segments begin exactly where the playlist says. With more tolerance (hls.js's own is
  // 0.25 s) a seek to shortly before the end of a segment loads the next one, and the
  // position jumps there; with none, sound that ends within a frame of it would be a gap.
  maxFragLookUpTolerance: 0.05,
  // Not ten minutes ahead, as where bits are few: what is asked for may have to be made.
  maxMaxBufferLength: 60,
  // What nobody knows the length of yet is as long as it has come: it is no live broadcast.
  liveDurationInfinity: false,
  // Subtitles are the page's own, see text_tracks.ts: hls.js would leave its own in the menu
  // when they are taken away, and clear those of others when it begins anew.
  subtitleTrackController: undefined,
  subtitleStreamController: undefined,
  timelineController: undefined,
  cmcd: { sessionId: SESSION_ID, useHeaders: true, includeKeys: ['sid'] },
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

const MEDIA_ERR_DECODE = 3; // MediaError's, which is not there where there is no browser

function isBuffered({ buffered, currentTime }: HTMLMediaElement): boolean {
  for (let i = 0; i < buffered.length; i++) {
    if (buffered.start(i) <= currentTime && currentTime < buffered.end(i)) return true;
  }
  return false;
}

/**
 * Brings hls back after every fatal error that can be brought back from. ongiveup is
 * called when it cannot: this browser does not decode this video.
 */
export function keepAlive(hls: Hls, events: typeof Hls.Events, ongiveup: () => void): void {
  const nurse = new Nurse();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reloading = false;

  function reload() {
    const { media, url } = hls;
    // What is buffered can still be watched; a reload would throw it away.
    if (media && media.readyState >= media.HAVE_FUTURE_DATA) {
      timer = setTimeout(reload, RESTART_MS);
      return;
    }
    reloading = false;
    if (!url) return;
    // A new source empties the element, which then stands still at the beginning.
    const wasPlaying = media !== null && !media.paused;
    if (media) hls.config.startPosition = media.currentTime;
    hls.loadSource(url);
    hls.startLoad(hls.config.startPosition);
    if (wasPlaying) media.play().catch(() => {}); // refused: a person presses the button
  }

  function treat({ cure, delayMs }: Treatment) {
    clearTimeout(timer);
    reloading = false;
    if (cure === 'recover') recover();
    else if (cure === 'give up') ongiveup();
    else if (cure === 'restart') timer = setTimeout(() => hls.startLoad(), delayMs);
    else {
      reloading = true;
      hls.stopLoad();
      timer = setTimeout(reload, delayMs);
    }
  }

  function recover() {
    const { media } = hls;
    const wasPlaying = media !== null && !media.paused;
    hls.recoverMediaError();
    if (wasPlaying) media.play().catch(() => {}); // refused: a person presses the button
  }

  // hls.js itself only learns of it when it next has something to append.
  function fail() {
    const error = hls.media?.error;
    if (error?.code !== MEDIA_ERR_DECODE) return;
    hls.trigger(events.ERROR, {
      type: 'mediaError' as ErrorTypes.MEDIA_ERROR,
      details: 'internalException' as ErrorDetails.INTERNAL_EXCEPTION,
      fatal: true,
      error: new Error(error.message),
    });
  }

  // Left alone, hls.js would first sit out its pause after a refusal, or hold the sound back
  // until the picture has come where sound had got ahead of it: one wait after the other.
  function seek() {
    const { media } = hls;
    if (reloading || !media || isBuffered(media)) return;
    clearTimeout(timer); // of a restart: it would abort what is asked for now, and ask again
    hls.stopLoad(); // or the sound would be asked for twice: startLoad tells one by one
    hls.startLoad(media.currentTime);
  }

  hls.on(events.MEDIA_ATTACHED, (_event: unknown, { media }: MediaAttachedData) => {
    media.addEventListener('seeking', seek);
    media.addEventListener('error', fail);
  });
  hls.on(events.MEDIA_DETACHING, () => {
    hls.media?.removeEventListener('seeking', seek);
    hls.media?.removeEventListener('error', fail);
  });
  hls.on(events.ERROR, (_event: unknown, data: ErrorData) => {
    const code = data.response?.code;
    // To hls.js a segment that is gone is not fatal: it would ask for it for ever.
    if (!data.fatal && !isGone(code)) return;
    if (reloading && data.type === 'networkError') return;
    treat(nurse.treat({ type: data.type, code, started: hls.levels.length > 0 }, performance.now()));
  });
  hls.on(events.DESTROYING, () => clearTimeout(timer));
}
