import { expect, test } from 'vitest';

import { BOXES_MAX, findIndex, INDEX_MAX, readFrom } from './index_box';

/** The header of a box; large: with a size of 64 bits. */
function header(type: string, size: number, large = false) {
  const bytes = new Uint8Array(large ? 16 : 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, large ? 1 : size);
  bytes.set(new TextEncoder().encode(type), 4);
  if (large) view.setBigUint64(8, BigInt(size));
  return bytes;
}

interface Box {
  type: string;
  /** As its header says. */
  size: number;
  large?: boolean;
  /** As it is in the file. */
  length?: number;
}

/** A file of such boxes, of which there are only the headers: it may be of any size.
 * reads: where it was read from. */
function sparse(...boxes: Box[]) {
  const reads: number[] = [];
  const headers = new Map<number, Uint8Array>();
  let size = 0;
  for (const box of boxes) {
    headers.set(size, header(box.type, box.size, box.large));
    size += box.length ?? box.size;
  }
  const read = async (from: number, to: number) => {
    reads.push(from);
    expect(to - from).toBeLessThanOrEqual(16);
    const bytes = new Uint8Array(Math.max(0, Math.min(to, size) - from));
    bytes.set((headers.get(from) ?? new Uint8Array()).subarray(0, bytes.length));
    return bytes;
  };
  return { reads, find: () => findIndex(size, read) };
}

const FTYP = { type: 'ftyp', size: 24 };

test('an index behind the pictures is found by the headers alone', async () => {
  const file = sparse(FTYP, { type: 'mdat', size: 9_000_000 }, { type: 'moov', size: 5000 });
  expect(await file.find()).toEqual({ offset: 9_000_024, size: 5000 });
  expect(file.reads).toEqual([0, 24, 9_000_024]);
});

test('an index before the pictures need not be sent ahead', async () => {
  const file = sparse(FTYP, { type: 'moov', size: 5000 }, { type: 'mdat', size: 9000 });
  expect(await file.find()).toBe(null);
  expect(file.reads).toEqual([0, 24]);
});

test('boxes of other kinds are walked over, pictures may be in several', async () => {
  const mdat = { type: 'mdat', size: 1000 };
  const file = sparse(FTYP, { type: 'wide', size: 8 }, mdat, { type: 'free', size: 50 }, mdat, {
    type: 'moov',
    size: 100,
  });
  expect(await file.find()).toEqual({ offset: 2082, size: 100 });
});

test('boxes of 4 GB and more have a size of 64 bits', async () => {
  const size = 30 * 2 ** 30;
  const file = sparse(FTYP, { type: 'mdat', size, large: true }, { type: 'moov', size: 800, large: true });
  expect(await file.find()).toEqual({ offset: 24 + size, size: 800 });
});

test('an index that goes to the end of the file has its length from there', async () => {
  const file = sparse(FTYP, { type: 'mdat', size: 100 }, { type: 'moov', size: 0, length: 777 });
  expect(await file.find()).toEqual({ offset: 124, size: 777 });
});

test('pictures to the end of the file leave no room for an index', async () => {
  const file = sparse(FTYP, { type: 'mdat', size: 0, length: 5000 });
  expect(await file.find()).toBe(null);
});

test('an index larger than is worth waiting for stays where it is', async () => {
  for (const [size, found] of [[INDEX_MAX, true], [INDEX_MAX + 1, false]] as const) {
    const file = sparse(FTYP, { type: 'mdat', size: 100 }, { type: 'moov', size });
    expect((await file.find()) !== null).toBe(found);
  }
});

test('boxes that make no sense are given up without a word', async () => {
  const mdat = { type: 'mdat', size: 100 };
  const junk: Box[][] = [
    [],
    [FTYP],
    [FTYP, mdat],
    [FTYP, mdat, { type: 'moov', size: 7, length: 50 }], // smaller than its own header
    [FTYP, mdat, { type: 'moov', size: 15, large: true, length: 50 }],
    [FTYP, mdat, { type: 'moov', size: 500, length: 499 }], // cut off
    [FTYP, { type: 'mdat', size: 5000, length: 4000 }, { type: 'moov', size: 500 }],
    [FTYP, mdat, { type: 'moov', size: 8, length: 5 }], // not even a header
    [FTYP, mdat, { type: 'moov', size: 2 ** 53, large: true, length: 60 }],
  ];
  for (const boxes of junk) expect(await sparse(...boxes).find()).toBe(null);
});

test('a file of very many boxes is given up after a few', async () => {
  const small = Array.from({ length: 10_000 }, () => ({ type: 'mdat', size: 8 }));
  const file = sparse(FTYP, ...small, { type: 'moov', size: 100 });
  expect(await file.find()).toBe(null);
  expect(file.reads.length).toBe(BOXES_MAX);
});

test('the bytes of a real Blob are read where they are', async () => {
  const parts = [header('ftyp', 16), new Uint8Array(8), header('mdat', 40, true)];
  const blob = new Blob([...parts, new Uint8Array(24), header('moov', 20), new Uint8Array(12)]);
  expect(await findIndex(blob.size, readFrom(blob))).toEqual({ offset: 56, size: 20 });
});
