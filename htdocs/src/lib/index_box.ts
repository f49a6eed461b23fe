/**
 * Where the index (the moov box) of an MP4 or MOV file is that ends with it. Whoever gets
 * that first can play the file while the rest of it still comes in.
 */
import { boxHeader } from './bmff';

/** A larger index is not worth waiting for; an hour of video has about 1 MB of it. */
export const INDEX_MAX = 64 * 2 ** 20;
/** Boxes of the top level that are looked at: cameras write a few, and hardly ever tens. */
export const BOXES_MAX = 256;
/** Of a box, with a size of 64 bits. */
const HEADER_BYTES = 16;

/** A part of a file, in bytes. */
export interface IndexBox {
  offset: number;
  size: number;
}

/** The bytes from `from` up to, and not with, `to`; fewer only where the file ends. */
export type ReadBytes = (from: number, to: number) => Promise<Uint8Array>;

export const readFrom =
  (file: Blob): ReadBytes =>
  async (from, to) =>
    new Uint8Array(await file.slice(from, to).arrayBuffer());

/**
 * size: of the file. Resolves to null where there is nothing to send ahead: the index
 * comes before the pictures, or is too large, or the boxes make no sense. Rejects only
 * where read does.
 */
export async function findIndex(size: number, read: ReadBytes): Promise<IndexBox | null> {
  let pictures = false;
  let at = 0;
  for (let boxes = 0; boxes < BOXES_MAX; boxes += 1) {
    const h = boxHeader(await read(at, Math.min(size, at + HEADER_BYTES)));
    if (typeof h === 'string') return null;
    const length = h.size === 0 ? size - at : h.size;
    if (length > size - at) return null;
    if (h.type === 'moov') {
      return pictures && length <= INDEX_MAX ? { offset: at, size: length } : null;
    }
    pictures ||= h.type === 'mdat';
    at += length;
  }
  return null;
}
