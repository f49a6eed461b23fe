/**
 * One multipart POST /api/videos. XMLHttpRequest, because fetch still tells nobody how
 * far an upload has come. The fields go before the file: the server reads in order and
 * decides by them. The index of a file that ends with it goes ahead too.
 */
import { ApiError, errorFrom, NONSENSE, type Video } from './api';
import type { IndexBox } from './index_box';
import { connectionLost, FINISH_MS, Watchdog, type Transfer, type TransferEvents } from './transfer';

export interface SendFields {
  uploadId: string;
  /** Where it is in the file; null: it goes with the rest. */
  index: IndexBox | null;
}

/** 128 random bits in hex: the name of one attempt. */
export function newUploadId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

function formOf(file: File, { uploadId, index }: SendFields): FormData {
  const form = new FormData();
  form.append('upload_id', uploadId);
  form.append('size', String(file.size));
  if (index) {
    form.append('index_offset', String(index.offset));
    form.append('index', file.slice(index.offset, index.offset + index.size));
  }
  form.append('file', file, file.name);
  return form;
}

function finish(xhr: XMLHttpRequest, events: TransferEvents): void {
  if (xhr.status !== 201) {
    events.failed(errorFrom(xhr.status, xhr.responseText));
    return;
  }
  try {
    events.done((JSON.parse(xhr.responseText) as Video).id);
  } catch {
    events.failed(new ApiError(201, 'bad_json', NONSENSE));
  }
}

/** Starts to send; exactly one of done and failed follows, unless it is aborted. */
export function send(file: File, fields: SendFields, events: TransferEvents): Transfer {
  const xhr = new XMLHttpRequest();
  const ahead = fields.index?.size ?? 0;
  const dog = new Watchdog(() => {
    abort();
    events.failed(connectionLost());
  });
  // An abort is no error, but some browsers fire one for it.
  function abort() {
    dog.stop();
    xhr.onload = xhr.onerror = xhr.upload.onload = xhr.upload.onprogress = null;
    xhr.abort();
  }
  xhr.upload.onprogress = ({ loaded, total }: ProgressEvent) => {
    dog.feed();
    // The rest of the body is a little longer than the file: scale, so that 100 % is the end.
    const share = (loaded - ahead) / (total - ahead);
    if (total > ahead) events.progress(Math.round(Math.max(0, share) * file.size));
  };
  xhr.upload.onload = () => {
    dog.feed(FINISH_MS);
    events.sent();
  };
  xhr.onload = () => {
    dog.stop();
    finish(xhr, events);
  };
  xhr.onerror = () => {
    dog.stop();
    events.failed(connectionLost());
  };
  xhr.open('POST', '/api/videos');
  xhr.send(formOf(file, fields));
  events.named(fields.uploadId);
  return { abort };
}
