/** What the end of a transfer that did not succeed means for its upload. Pure. */
import type { ApiError } from './api';

/**
 * again: it goes on a little later, from where it is. anew: the server knows nothing of
 * it. barred: whoever sends it has to sign in first. final: there is no use in trying.
 */
export type Outcome = 'again' | 'anew' | 'barred' | 'final';

/** Refusals of this moment: timed out, in the way of another request, too many of them. */
const PASSING = [408, 409, 423, 425, 429];
const DISK_FULL = 507;

/** resuming: the transfer was of the rest of an upload. */
export function outcomeOf({ status }: ApiError, resuming: boolean): Outcome {
  if (status === 0 || PASSING.includes(status)) return 'again';
  if (status === 401 || status === 403) return 'barred';
  if (status >= 500) return status === DISK_FULL ? 'final' : 'again';
  if (!resuming) return 'final';
  if (status === 404 || status === 410) return 'anew';
  // What stands between may answer in the server's place, a hotel's sign-in page for one.
  return status < 400 ? 'again' : 'final';
}

/** Seconds of the pauses between tries; the last one goes on for ever. */
const PAUSES_S = [1, 2, 4, 8, 15, 30];

/** tries: in vain, in a row, before this pause. */
export const pauseAfter = (tries: number) => PAUSES_S[Math.min(tries, PAUSES_S.length - 1)]!;
