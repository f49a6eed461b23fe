/**
 * Who is watching, as the field's standard says it (CMCD, CTA-5004: session id): a random
 * name for this view of the page. The server takes it to mean that a viewer who asks for
 * another segment no longer waits for the one before.
 */

/** A random UUID (RFC 9562, version 4). crypto.randomUUID would do, but browsers have it
 * only on HTTPS and on localhost. */
export function newUuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export const SESSION_ID = newUuid();
