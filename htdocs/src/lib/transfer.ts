/** What there is to say about bytes on their way to the server, whichever way they go. */
import { ApiError } from './api';

/** A line on which nothing moves for so long is taken for a dead one. */
export const STALL_MS = 60_000;
/** Everything has left, and the server makes it durable: a large file on a slow disk. */
export const FINISH_MS = 600_000;

export interface TransferEvents {
  /** The server calls the upload by this name; what it has is kept under it. */
  named(uploadId: string): void;
  /** The server has so many bytes of the file already; the rest follows. */
  resumed(offset: number): void;
  /** Bytes of the file that have left, at most its size. */
  progress(sent: number): void;
  /** Everything has left; the server makes it durable. */
  sent(): void;
  /** videoId: "" if the server did not say. */
  done(videoId: string): void;
  failed(error: ApiError): void;
}

export interface Transfer {
  abort(): void;
}

export const connectionLost = () =>
  new ApiError(0, 'connection_lost', 'The connection to the server was lost.');

/**
 * Watches over a transfer, so that it ends even where the network says nothing any more:
 * each sign of life puts the end off. bite is called once at most.
 */
export class Watchdog {
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly bite: () => void) {
    this.feed();
  }

  feed(ms = STALL_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.bite, ms);
  }
  stop(): void {
    clearTimeout(this.#timer);
  }
}
