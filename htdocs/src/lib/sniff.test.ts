import { describe, expect, test } from 'vitest';

import file from '../../../tests/vectors/sniff.json';
import { SNIFF_BYTES, sniff } from './sniff';

interface Vector {
  name: string;
  hex: string;
  size?: number;
  fill?: string;
  accept: string | null;
  reason_contains: string | null;
}

/** The first bytes of the file that a vector describes. */
function head(v: Vector): Uint8Array {
  const given = (v.hex.replace(/\s/g, '').match(/../g) ?? []).map((h) => parseInt(h, 16));
  const size = Math.min(v.size ?? given.length, SNIFF_BYTES);
  const bytes = new Uint8Array(size).fill(parseInt(v.fill ?? '00', 16));
  bytes.set(given.slice(0, size));
  return bytes;
}

describe('the vectors that lib/sniff.c is held to', () => {
  test.each(file.vectors as Vector[])('$name', (v) => {
    const found = sniff(head(v));
    expect(found.container).toBe(v.accept ?? 'none');
    if (v.accept !== null) expect(found.reason).toBeNull();
    else expect(found.reason).toContain(v.reason_contains ?? '.');
  });
});

test('a view into a larger buffer is read at its own offset', () => {
  const taken = (file.vectors as Vector[]).find((v) => v.accept === 'mp4');
  const bytes = head(taken!);
  const larger = new Uint8Array(bytes.length + 7).fill(0xff);
  larger.set(bytes, 7);
  expect(sniff(larger.subarray(7)).container).toBe('mp4');
});
