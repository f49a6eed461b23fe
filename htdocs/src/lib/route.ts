/** Which way a file goes: in one form, or in chunks on a site that wants it so. */
import { ApiError } from './api';
import { send, type SendFields } from './send';
import { sendInChunks, sendRest } from './send_rest';
import type { Transfer, TransferEvents } from './transfer';
import { chunkBytes } from './upload_api';

/** Known for as long as the page lives, once the server has said it. */
let known: Promise<number> | null = null;

/** 0 where there are no chunks; rejects where nobody answers. */
async function ask(): Promise<number> {
  try {
    return await chunkBytes();
  } catch (e) {
    const { status } = e as ApiError;
    if (status >= 400 && status < 500) return 0; // a server that knows no tus
    known = null;
    throw e;
  }
}

/** Begins a transfer as soon as it is known how. */
function begin(start: (chunk: number) => Transfer, events: TransferEvents): Transfer {
  let aborted = false;
  let transfer: Transfer | null = null;
  known ??= ask();
  known.then(
    (chunk) => {
      if (!aborted) transfer = start(chunk);
    },
    (error: ApiError) => {
      if (!aborted) events.failed(error);
    },
  );
  return {
    abort() {
      aborted = true;
      transfer?.abort();
    },
  };
}

export function sendWhole(file: File, fields: SendFields, events: TransferEvents): Transfer {
  const start = (chunk: number) =>
    chunk > 0 ? sendInChunks(file, fields, chunk, events) : send(file, fields, events);
  return begin(start, events);
}

/** The rest of an upload that broke off. */
export function sendOn(file: File, uploadId: string, events: TransferEvents): Transfer {
  return begin((chunk) => sendRest(file, uploadId, chunk, events), events);
}
