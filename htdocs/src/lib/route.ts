/** Which way a file goes: in one form, or in chunks on a site that wants it so. */
import type { ApiError } from './api';
import { INDEX_MAX } from './index_box';
import { send, type SendFields } from './send';
import { sendInChunks, sendRest } from './send_rest';
import type { Transfer, TransferEvents } from './transfer';
import { uploadLimits, type UploadLimits } from './upload_api';

/** Known for as long as the page lives, once the server has said it. */
let known: Promise<UploadLimits> | null = null;

/** Rejects where nobody answers. */
async function ask(): Promise<UploadLimits> {
  try {
    return await uploadLimits();
  } catch (e) {
    const { status } = e as ApiError;
    // Something on the way lets no OPTIONS through.
    if (status >= 400 && status < 500) return { chunk: 0, index: INDEX_MAX };
    known = null;
    throw e;
  }
}

/** Begins a transfer as soon as it is known how. */
function begin(start: (limits: UploadLimits) => Transfer, events: TransferEvents): Transfer {
  let aborted = false;
  let transfer: Transfer | null = null;
  known ??= ask();
  known.then(
    (limits) => {
      if (!aborted) transfer = start(limits);
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
  return begin((limits) => {
    const index = fields.index && fields.index.size <= limits.index ? fields.index : null;
    const kept = { ...fields, index };
    if (limits.chunk > 0) return sendInChunks(file, kept, limits.chunk, events);
    return send(file, kept, events);
  }, events);
}

/** The rest of an upload that broke off. */
export function sendOn(file: File, uploadId: string, events: TransferEvents): Transfer {
  return begin(({ chunk }) => sendRest(file, uploadId, chunk, events), events);
}
