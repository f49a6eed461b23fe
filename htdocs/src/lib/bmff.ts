/** Box headers of the ISO base media file format (ISO 14496-12 section 4.2). */

export const FTYP = 'ftyp';

export interface BoxHeader {
  type: string;
  /** 8, or 16 with a 64-bit size. */
  headerSize: number;
  /** Bytes of the whole box; 0: to the end of the file. */
  size: number;
}

/** Four bytes as Latin-1; shorter where the data ends. */
export function fourcc(data: Uint8Array, at: number): string {
  return String.fromCharCode(...data.subarray(at, at + 4));
}

/** 'truncated': too little to tell. 'invalid': a size smaller than its own header. */
export function boxHeader(data: Uint8Array): BoxHeader | 'truncated' | 'invalid' {
  if (data.length < 8) return 'truncated';
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const type = fourcc(data, 4);
  const size = view.getUint32(0);
  if (size !== 1) {
    return size !== 0 && size < 8 ? 'invalid' : { type, headerSize: 8, size };
  }
  if (data.length < 16) return 'truncated';
  // Beyond 2^53 the number is rounded, which is still far too large for any box.
  const large = Number(view.getBigUint64(8));
  return large < 16 ? 'invalid' : { type, headerSize: 16, size: large };
}
