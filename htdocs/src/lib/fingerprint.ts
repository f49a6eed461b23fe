/** By what a file is known again when it is picked a second time. */

export interface FileFacts {
  name: string;
  size: number;
  /** ms; of the file. */
  lastModified: number;
  /** Of its first SNIFF_BYTES bytes (sniff.ts). */
  fingerprint: string;
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

/** FNV-1a of 32 bits, begun with a number of one's own. */
function fnv(bytes: Uint8Array, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** SHA-256 where the browser has it, which is on HTTPS and on localhost only; else
 * something simple: it has to tell apart files that have one name, size and date. */
export async function fingerprint(
  head: Uint8Array<ArrayBuffer>,
  subtle: Pick<SubtleCrypto, 'digest'> | null = globalThis.crypto?.subtle ?? null,
): Promise<string> {
  if (!subtle) return `fnv-${hex(fnv(head, 0), 8)}${hex(fnv(head, 0x9e3779b9), 8)}`;
  const digest = new Uint8Array(await subtle.digest('SHA-256', head));
  return `sha256-${Array.from(digest, (byte) => hex(byte, 2)).join('')}`;
}

export function isSameFile(a: FileFacts, b: FileFacts): boolean {
  return (
    a.name === b.name &&
    a.size === b.size &&
    a.lastModified === b.lastModified &&
    a.fingerprint === b.fingerprint
  );
}
