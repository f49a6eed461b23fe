/**
 * When to tell a viewer what is being waited for. All of it follows from what the media
 * element says of itself at the moment, so that nothing stale is left standing.
 */
import { formatPercent } from '../lib/format';
import { isComing, isReady, type Stretch } from '../lib/readiness';

/** Most seeks have their picture within this time; a word would only flicker. It also lets
 * an answer come in that says what is ready by now. */
export const SOON_MS = 150;
/** Where nobody knows what is ready, a wait shorter than this is not worth a word. */
export const LATE_MS = 1200;
/** Seconds; more than the ends of picture and sound are apart within a buffer. */
const BEYOND = 0.1;

/** What is asked of the media element. */
export type Media = Pick<
  HTMLMediaElement,
  | 'addEventListener'
  | 'removeEventListener'
  | 'buffered'
  | 'currentTime'
  | 'ended'
  | 'paused'
  | 'readyState'
  | 'seeking'
>;

/** How far the upload of the video has come, while it is going on. */
export interface Arrival {
  /** 0..1; null: nobody knows. */
  share: number | null;
  /** Nothing has come for a while. */
  stopped: boolean;
}

const HAVE_FUTURE_DATA = 3;
const EVENTS = [
  ...['seeking', 'seeked', 'waiting', 'playing', 'canplay', 'timeupdate'],
  ...['play', 'pause', 'ended', 'emptied', 'loadeddata'],
];

function isStarved(media: Media): boolean {
  if (media.seeking) return true;
  return !media.paused && !media.ended && media.readyState < HAVE_FUTURE_DATA;
}

/** The moment that has to come in: just beyond what is buffered around the position. */
function missingMoment({ buffered, currentTime }: Media): number {
  for (let i = 0; i < buffered.length; i++) {
    const end = buffered.end(i);
    if (buffered.start(i) <= currentTime && currentTime <= end) return end + BEYOND;
  }
  return currentTime;
}

/** Of an upload whose length nobody knows, all that is known may be ready, and not enough. */
function isAhead(stretches: readonly Stretch[], moment: number): boolean {
  const end = stretches.at(-1)?.to;
  return end !== undefined && (moment > end || isComing(stretches, moment));
}

export class Patience {
  #moment = $state<number | null>(null);
  #soon = $state(false);
  #late = $state(false);
  #timers: ReturnType<typeof setTimeout>[] = [];

  /** onwait: called when a wait begins, or goes on elsewhere. */
  constructor(private readonly onwait: () => void) {}

  /** Follows a media element; returns how to stop that. */
  follow(media: Media): () => void {
    const look = () => this.#look(media);
    for (const type of EVENTS) media.addEventListener(type, look);
    return () => {
      for (const type of EVENTS) media.removeEventListener(type, look);
      this.#rest();
    };
  }

  /** A sentence, or "". stretches: null if unknown. whole: nothing more is being made.
   * arrival: null once the video has come in. */
  message(
    stretches: readonly Stretch[] | null,
    whole: boolean,
    arrival: Arrival | null = null,
  ): string {
    const moment = this.#moment;
    if (moment === null) return '';
    if (arrival && stretches && this.#soon && isAhead(stretches, moment)) {
      const share = arrival.share === null ? '' : formatPercent(arrival.share);
      const what = arrival.stopped ? 'The upload has stopped' : 'This part is still uploading';
      return `${what}${share && ` – ${share} of the video has arrived`}.`;
    }
    if (stretches ? !this.#soon || isReady(stretches, moment) : !this.#late || whole) {
      return ''; // what is ready is waited for because of the network
    }
    if (whole) return 'This part could not be prepared.';
    return 'This part is being prepared.';
  }

  #look(media: Media): void {
    if (!isStarved(media)) return this.#rest();
    const before = this.#moment;
    this.#moment = missingMoment(media);
    if (before === this.#moment) return;
    this.onwait();
    if (before !== null) return; // a wait that goes on elsewhere is as long as it was
    this.#timers = [
      setTimeout(() => (this.#soon = true), SOON_MS),
      setTimeout(() => (this.#late = true), LATE_MS),
    ];
  }

  #rest(): void {
    this.#timers.forEach(clearTimeout);
    this.#timers = [];
    this.#moment = null;
    this.#soon = this.#late = false;
  }
}
