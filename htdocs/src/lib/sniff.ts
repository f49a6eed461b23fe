/**
 * What a file is, by its first 4096 bytes, whatever its name says: the rule of
 * lib/sniff.h in the browser, so that a wrong file is refused before a byte is sent.
 * tests/vectors/sniff.json holds both to it; the functions stand in the same order.
 */
import { FTYP, boxHeader, fourcc } from './bmff';
import { refuse } from './sniff_refuse';

export const SNIFF_BYTES = 4096;

export type Container = 'mp4' | 'mov' | 'matroska' | 'webm' | 'none';

export interface Sniff {
  /** 'none' when refused. */
  container: Container;
  /** A sentence when refused, else null. */
  reason: string | null;
}

const MIN_BYTES = 16;
const FTYP_MAX = 512;
const BOX_MAX = 2 ** 48;
const EBML_HEADER_MAX = 1024;

const MP4_DAMAGED = 'This begins like an MP4 file, but its first boxes are damaged.';
const EBML_DAMAGED = 'This begins like a Matroska file, but its header is damaged.';
const ENDS = 'Nothing follows the header of the file: it was not copied completely.';

const refused = (reason: string): Sniff => ({ container: 'none', reason });
const taken = (container: Container): Sniff => ({ container, reason: null });

/* ---- ISO base media and QuickTime ------------------------------------------ */

const MP4 = taken('mp4');

/** What a brand says about a file. From the register at mp4ra.org and the wild. */
const BRANDS: [string, Sniff][] = [
  [
    'isom|iso2|iso3|iso4|iso5|iso6|iso7|iso8|iso9|isoa|isob|isoc|mp41|mp42|mp71|' +
      'avc1|hvc1|hev1|dvh1|av01|vp09|M4V |M4VH|M4VP|F4V |F4P |' +
      'dash|msdh|msix|cmfc|cmf2|cmfs|cmff|cmfl|cmfd|cmfh|chdf|chd1|cfhd|cfsd|cud1|cud8|' +
      'isml|piff|ccff|dby1|XAVC|MSNV|mmp4|SDV |KDDI|niko|caqv|' +
      'NDSC|NDSH|NDSM|NDSP|NDSS|NDXC|NDXH|NDXM|NDXP|NDXS',
    MP4,
  ],
  ['qt  ', taken('mov')],
  [
    'M4A |M4B |M4P |F4A |F4B |NDAS|aax |aaxc',
    refused('This is an audio file (M4A); it has no video.'),
  ],
  [
    'heic|heix|heim|heis|hevc|hevx|hevm|hevs|mif1|mif2|mif3|msf1',
    refused('This is a HEIC image, not a video.'),
  ],
  ['avif|avis|avio', refused('This is an AVIF image, not a video.')],
  ['crx |jpeg|jpgs|avci|avcs|vvic|vvis', refused('This is an image, not a video.')],
];
const BY_BRAND = new Map(
  BRANDS.flatMap(([codes, sniff]) => codes.split('|').map((code) => [code, sniff] as const)),
);

/** Boxes of the top level: ISO 14496-12 and DASH, then QuickTime, then cameras. */
const TOP_LEVEL = new Set(
  (
    'moov|mdat|free|skip|uuid|moof|mfra|sidx|ssix|styp|pdin|meta|meco|prft|emsg|imda|bloc|' +
    'wide|pnot|PICT|pict|udta|junk|thum|frea|ardt|prrt|inst|_htc|mpvd|sefd'
  ).split('|'),
);

/** 3GPP has a brand for each release and profile ("3gp4", "3g2a"); all are MP4. */
const findBrand = (brand: string) => (brand.startsWith('3g') ? MP4 : BY_BRAND.get(brand));

/** A known major brand decides; an unknown one is a maker's own: then the first
 * compatible brand of video, else the first known one. */
function sniffBrands(body: Uint8Array): Sniff {
  let found = findBrand(fourcc(body, 0));
  if (!found) {
    for (let i = 8; i < body.length; i += 4) {
      const brand = findBrand(fourcc(body, i));
      if (brand && (!found || brand.reason === null)) found = brand;
      if (found?.reason === null) break;
    }
  }
  return found ?? refused('This is a relative of MP4 that is not known to hold video.');
}

/** Why the boxes after the ftyp make no sense, or null. */
function checkBoxes(data: Uint8Array, start: number): string | null {
  let boxes = 0;
  for (let offset = start; ; ) {
    const h = boxHeader(data.subarray(offset));
    if (h === 'invalid') return MP4_DAMAGED;
    if (h === 'truncated') return boxes > 0 ? null : ENDS;
    if (!TOP_LEVEL.has(h.type) || h.size > BOX_MAX) return MP4_DAMAGED;
    boxes += 1;
    if (h.size === 0 || h.size > data.length - offset) return null;
    offset += h.size;
  }
}

function sniffBmff(data: Uint8Array): Sniff {
  const h = boxHeader(data);
  if (h === 'invalid' || h === 'truncated') return refused(MP4_DAMAGED);
  if (h.size > FTYP_MAX || h.size < h.headerSize + 8 || h.size % 4 !== 0) {
    return refused(MP4_DAMAGED);
  }
  if (h.size > data.length) return refused(ENDS);
  const found = sniffBrands(data.subarray(h.headerSize, h.size));
  if (found.reason !== null) return found;
  const reason = checkBoxes(data, h.size);
  return reason === null ? found : refused(reason);
}

/* ---- Matroska and WebM (RFC 8794, RFC 9559) --------------------------------- */

const ID_EBML = 0x1a45dfa3;
const ID_DOC_TYPE = 0x4282;
const ID_VOID = 0xec;
const ID_CRC_32 = 0xbf;
const ID_SEGMENT = 0x18538067;
/** EBMLReadVersion, EBMLMaxIDLength, EBMLMaxSizeLength, DocTypeReadVersion. */
const READABLE_MAX = new Map([
  [0x42f7, 1n],
  [0x42f2, 4n],
  [0x42f3, 8n],
  [0x4285, 4n],
]);

interface Element {
  id: number;
  /** Bytes of the body; null if the file does not say. */
  size: number | null;
  /** Where the body begins. */
  at: number;
}

/** The variable-length integer at `at`, of at most max bytes, with its marker. */
function readVint(data: Uint8Array, at: number, max: number) {
  const first = data[at];
  if (first === undefined) return 'truncated';
  const length = Math.clz32(first) - 23;
  if (length > max) return 'invalid';
  if (data.length - at < length) return 'truncated';
  let value = 0n;
  for (const byte of data.subarray(at, at + length)) value = (value << 8n) | BigInt(byte);
  return { value, length };
}

function readElement(data: Uint8Array, at: number): Element | 'truncated' | 'invalid' {
  const id = readVint(data, at, 4);
  if (typeof id === 'string') return id;
  const size = readVint(data, at + id.length, 8);
  if (typeof size === 'string') return size;
  const ones = (1n << BigInt(7 * size.length)) - 1n;
  const value = size.value & ones;
  return {
    id: Number(id.value),
    size: value === ones ? null : Number(value),
    at: at + id.length + size.length,
  };
}

/** False if the element is a number that the server can't go by. */
function isReadable(data: Uint8Array, e: Element, size: number): boolean {
  const max = READABLE_MAX.get(e.id);
  // Without a body an element has its default, which is readable.
  if (max === undefined || size === 0) return true;
  if (size > 8) return false;
  let value = 0n;
  for (const byte of data.subarray(e.at, e.at + size)) value = (value << 8n) | BigInt(byte);
  return value >= 1n && value <= max;
}

function docType(body: Uint8Array): Container {
  // A string may be padded with zeros.
  const text = String.fromCharCode(...body).replace(/\0+$/, '');
  return text === 'matroska' || text === 'webm' ? text : 'none';
}

/** header: the body of the EBML header, and no more. */
function sniffEbmlHeader(header: Uint8Array): Sniff {
  let container: Container = 'none';
  for (let at = 0; at < header.length; ) {
    const e = readElement(header, at);
    if (typeof e === 'string' || e.size === null || e.size > header.length - e.at) {
      return refused(EBML_DAMAGED);
    }
    if (!isReadable(header, e, e.size)) return refused(EBML_DAMAGED);
    at = e.at + e.size;
    if (e.id === ID_DOC_TYPE) container = docType(header.subarray(e.at, at));
  }
  if (container !== 'none') return taken(container);
  return refused('This is a relative of Matroska that is not known to hold video.');
}

/** Why what follows the EBML header is no Segment, or null. */
function checkSegment(data: Uint8Array, start: number): string | null {
  const end = data.length < SNIFF_BYTES ? ENDS : null;
  for (let at = start; ; ) {
    const e = readElement(data, at);
    if (e === 'invalid') return EBML_DAMAGED;
    if (e === 'truncated') return end;
    if (e.id === ID_SEGMENT) return null;
    if ((e.id !== ID_VOID && e.id !== ID_CRC_32) || e.size === null) return EBML_DAMAGED;
    if (e.size > data.length - e.at) return end;
    at = e.at + e.size;
  }
}

function sniffEbml(data: Uint8Array): Sniff {
  const e = readElement(data, 0);
  if (typeof e === 'string' || e.size === null || e.size > EBML_HEADER_MAX) {
    return refused(EBML_DAMAGED);
  }
  const end = e.at + e.size;
  if (end > data.length) return refused(ENDS);
  const found = sniffEbmlHeader(data.subarray(e.at, end));
  if (found.reason !== null) return found;
  const reason = checkSegment(data, end);
  return reason === null ? found : refused(reason);
}

/* ---- the rule -------------------------------------------------------------- */

/** data: the first SNIFF_BYTES bytes; fewer only if the file is no longer. */
export function sniff(data: Uint8Array): Sniff {
  if (data.length === 0) return refused('The file is empty.');
  if (data.length < MIN_BYTES) return refused('The file is too short to be a video.');
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (view.getUint32(0) === ID_EBML) return sniffEbml(data);
  if (fourcc(data, 4) === FTYP) return sniffBmff(data);
  return refused(refuse(data));
}
