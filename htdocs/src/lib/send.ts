/**
 * One multipart POST /api/videos. XMLHttpRequest, because fetch still tells nobody how
 * far an upload has come. The fields go before the file: the server reads in order and
 * decides by them.
 */
import { ApiError, errorFrom, type Video } from './api';

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
  xhr.upload.onprogress = (e: ProgressEvent) => {
    // The body is a little longer than the file: scale, so that 100 % is the end.
    if (e.total > 0) events.progress(Math.round((e.loaded / e.total) * file.size));
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
