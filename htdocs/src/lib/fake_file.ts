/** A File; node 18 has no constructor for one. */
export function fakeFile(name: string, bytes: Uint8Array | number[]): File {
  const blob = new Blob([Uint8Array.from(bytes)]);
  return Object.assign(blob, { name, lastModified: 0, webkitRelativePath: '' }) as File;
}

/** A file that is taken: ftyp of an MP4, pictures up to its size, and at the end an index
 * of so many bytes, if any. */
export function fakeMp4(name: string, size = 1000, index = 0): File {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const box = (at: number, length: number, text: string) => {
    view.setUint32(at, length);
    bytes.set(new TextEncoder().encode(text), at + 4);
  };
  box(0, 16, 'ftypisom');
  box(16, size - 16 - index, 'mdat');
  if (index > 0) box(size - index, index, 'moov');
  return fakeFile(name, bytes);
}

/** It is on its place no more, and cannot be read. */
export function vanish(file: File): File {
  const unreadable = { arrayBuffer: () => Promise.reject(new Error('NotFoundError')) };
  return Object.assign(file, { slice: () => unreadable });
}
