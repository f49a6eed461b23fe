/**
 * Bytes by tus 1.0.0, in one request after another: what is missing of an upload that
 * broke off, or a whole file on a site that takes no more than so much in one request.
 */
import type { DetailedError, HttpRequest, HttpResponse, UploadOptions } from 'tus-js-client';

import { ApiError, errorFrom, NONSENSE } from './api';
import type { SendFields } from './send';
import { connectionLost, FINISH_MS, Watchdog, type Transfer, type TransferEvents } from './transfer';
import { createUpload, deleteUpload, putIndex, uploadUrl } from './upload_api';

const library = () => import('tus-js-client');

/** Fetches the code that is needed once the connection is lost, while it is there. */
export function prepareRest(): void {
  library().catch(() => {}); // then it is tried again when it is needed
}

function errorOf(error: Error | DetailedError): ApiError {
  if (!('originalResponse' in error)) return connectionLost();
  const answer = error.originalResponse;
  if (answer === null) return connectionLost();
  const status = answer.getStatus();
  // An answer of success that tus makes no sense of.
  if (status >= 200 && status < 300) return new ApiError(status, 'bad_answer', NONSENSE);
  return errorFrom(status, answer.getBody());
}

function optionsOf(
  file: File,
  uploadId: string,
  chunkBytes: number,
  dog: Watchdog,
  events: TransferEvents,
): UploadOptions {
  return {
    uploadUrl: uploadUrl(uploadId),
    chunkSize: chunkBytes > 0 ? chunkBytes : Infinity,
    // What is remembered of uploads, and when to try again, is decided elsewhere.
    retryDelays: null,
    storeFingerprintForResuming: false,
    fingerprint: async () => '',
    onAfterResponse(request: HttpRequest, response: HttpResponse) {
      dog.feed();
      const offset = Number.parseInt(response.getHeader('Upload-Offset') ?? '', 10);
      if (request.getMethod() === 'HEAD' && offset >= 0) events.resumed(offset);
    },
    onProgress(sent: number) {
      dog.feed(sent === file.size ? FINISH_MS : undefined);
      events.progress(sent);
      if (sent === file.size) events.sent();
    },
    onSuccess({ lastResponse }) {
      dog.stop();
      events.done(lastResponse.getHeader('Dropstream-Video') ?? '');
    },
    onError(error) {
      dog.stop();
      events.failed(errorOf(error));
    },
  };
}

/**
 * Asks how far an upload has come and sends the rest of it; chunkBytes: so many at a
 * time, 0: all at once. Events as for send().
 */
export function sendRest(
  file: File,
  uploadId: string,
  chunkBytes: number,
  events: TransferEvents,
): Transfer {
  let aborted = false;
  let upload: Transfer | null = null;
  const abort = () => {
    aborted = true;
    dog.stop();
    upload?.abort();
  };
  const lost = () => {
    if (aborted) return;
    abort();
    events.failed(connectionLost());
  };
  const dog = new Watchdog(lost);
  library().then(({ Upload }) => {
    if (aborted) return;
    const tus = new Upload(file, optionsOf(file, uploadId, chunkBytes, dog, events));
    upload = { abort: () => void tus.abort() };
    tus.start();
  }, lost);
  return { abort };
}

/** Sends a whole file in chunks, its index first if it goes ahead. Events as for send(). */
export function sendInChunks(
  file: File,
  { uploadId, index }: SendFields,
  chunkBytes: number,
  events: TransferEvents,
): Transfer {
  let aborted = false;
  let rest: Transfer | null = null;

  async function begin() {
    await createUpload(uploadId, file);
    // Whoever gave it up could not take away what was not there yet.
    if (aborted) return deleteUpload(uploadId).catch(() => {});
    // Without its index a file plays later, and that is all.
    if (index && index.size <= chunkBytes) await putIndex(uploadId, file, index).catch(() => {});
    if (!aborted) rest = sendRest(file, uploadId, chunkBytes, events);
  }
  events.named(uploadId);
  begin().catch((error: unknown) => {
    if (!aborted) events.failed(error as ApiError);
  });
  return {
    abort() {
      aborted = true;
      rest?.abort();
    },
  };
}
