/**
 * One multipart POST /api/videos. XMLHttpRequest, because fetch still tells nobody how
 * far an upload has come. The fields go before the file: the server reads in order and
 * decides by them. The index of a file that ends with it goes ahead too.
 */
import { ApiError, errorFrom, type Video } from './api';
import type { IndexBox } from './index_box';

export interface SendEvents {
  /** Bytes of the file that have left, at most its size. */
  progress(sent: number): void;
  /** Everything has left; the server makes it durable. */
  sent(): void;
  done(video: Video): void;
  failed(error: ApiError): void;
}

export interface SendFields {
  uploadId: string;
  title: string;
  /** Where it is in the file; null: it goes with the rest. */
  index: IndexBox | null;
}

/** 128 random bits in hex: the name of one attempt. */
export function newUploadId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

function formOf(file: File, fields: SendFields): FormData {
  const form = new FormData();
  form.append('upload_id', fields.uploadId);
  form.append('size', String(file.size));
  if (fields.title !== '') form.append('title', fields.title);
  if (fields.index) {
    const { offset, size } = fields.index;
    form.append('index_offset', String(offset));
    form.append('index', file.slice(offset, offset + size));
  }
  form.append('file', file, file.name);
  return form;
}

function finish(xhr: XMLHttpRequest, events: SendEvents): void {
  if (xhr.status !== 201) {
    events.failed(errorFrom(xhr.status, xhr.responseText));
    return;
  }
  try {
    events.done(JSON.parse(xhr.responseText) as Video);
  } catch {
    events.failed(new ApiError(201, 'bad_json', 'The server gave an answer that makes no sense.'));
  }
}

/** Starts to send; exactly one of done and failed follows, unless it is aborted. */
export function send(
  file: File,
  fields: SendFields,
  events: SendEvents,
  xhr: XMLHttpRequest = new XMLHttpRequest(),
): { abort(): void } {
  let aborted = false;
  const ahead = fields.index?.size ?? 0;
  xhr.upload.onprogress = ({ loaded, total }: ProgressEvent) => {
    // The rest of the body is a little longer than the file: scale, so that 100 % is the end.
    const share = (loaded - ahead) / (total - ahead);
    if (total > ahead) events.progress(Math.round(Math.max(0, share) * file.size));
  };
  xhr.upload.onload = () => events.sent();
  xhr.onload = () => finish(xhr, events);
  xhr.onerror = () => {
    if (aborted) return;
    events.failed(new ApiError(0, 'connection_lost', 'The connection to the server was lost.'));
  };
  xhr.open('POST', '/api/videos');
  xhr.send(formOf(file, fields));
  return {
    abort() {
      aborted = true;
      xhr.abort();
    },
  };
}
