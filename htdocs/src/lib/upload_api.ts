/** The client of /api/uploads (tus 1.0.0, tus.io/protocols/resumable-upload), but for the
 * file's bytes: those are sent by send_rest.ts. */
import { ApiError, NONSENSE, request } from './api';
import { INDEX_MAX, type IndexBox } from './index_box';

const TUS = { 'Tus-Resumable': '1.0.0' };

export const uploadUrl = (uploadId: string) => `/api/uploads/${encodeURIComponent(uploadId)}`;

/** A header that holds a number of bytes; null without it. */
function bytesIn(headers: Headers, name: string): number | null {
  const text = headers.get(name);
  return text !== null && /^\d+$/.test(text) ? Number(text) : null;
}

/** What this site takes, in bytes. */
export interface UploadLimits {
  /** In one request; 0: as much as there is. */
  chunk: number;
  /** Of an index that goes ahead of its file. */
  index: number;
}

export async function uploadLimits(): Promise<UploadLimits> {
  const { headers } = await request('OPTIONS', '/api/uploads');
  return {
    chunk: bytesIn(headers, 'Dropstream-Chunk-Bytes') ?? 0,
    index: bytesIn(headers, 'Dropstream-Index-Bytes') ?? INDEX_MAX,
  };
}

/** How many bytes of an upload the server has. A page that still sends them is cut off. */
export async function uploadOffset(uploadId: string): Promise<number> {
  const { status, headers } = await request('HEAD', uploadUrl(uploadId), { headers: TUS });
  const offset = bytesIn(headers, 'Upload-Offset');
  if (offset === null) throw new ApiError(status, 'bad_offset', NONSENSE);
  return offset;
}

/** Takes away what the server has of an unfinished upload. */
export async function deleteUpload(uploadId: string): Promise<void> {
  await request('DELETE', uploadUrl(uploadId), { headers: TUS });
}

/** Of text in UTF-8. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** A new upload of a file, of which nothing is sent yet, under a name of one's own. */
export async function createUpload(uploadId: string, file: File): Promise<void> {
  const headers = {
    ...TUS,
    'Upload-Length': String(file.size),
    'Upload-Metadata': `filename ${base64(file.name)},upload_id ${base64(uploadId)}`,
  };
  await request('POST', '/api/uploads', { headers });
}

/** Sends the index of a file ahead of the rest. A line that needs more than a second for
 * 50 kB of it is too slow for that to be of use. */
export async function putIndex(uploadId: string, file: File, index: IndexBox): Promise<void> {
  const { offset, size } = index;
  await request('PUT', `${uploadUrl(uploadId)}/index?offset=${offset}`, {
    headers: { ...TUS, 'Content-Type': 'application/octet-stream' },
    body: file.slice(offset, offset + size),
    timeoutMs: 20_000 + size / 50,
  });
}
