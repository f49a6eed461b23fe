/**
 * Why a file that is no video container of ours is refused, by the signature it has:
 * the sentences of lib/sniff_refuse.c.
 */
const CONVERT = ' Convert it to MP4, MOV, MKV or WebM first.';
/** Bytes that must all be text, or all be zero. */
const TEXT_PROBE = 512;

const AUDIO = 'This is an audio file; it has no video.';
const IMAGE = 'This is an image, not a video.';
const PROGRAM = 'This is a program, not a video.';
const ARCHIVE = 'This is a compressed archive. Unpack it and upload the video that is in it.';
const AVI = `This is an AVI file.${CONVERT}`;
const TS = `This is an MPEG transport stream.${CONVERT}`;
const PS = `This is an MPEG program stream.${CONVERT}`;
const RAW = `This is a raw video stream without a container.${CONVERT}`;
const ASF = `This is a Windows Media file.${CONVERT}`;
const FLV = `This is a Flash video.${CONVERT}`;
const NO_FTYP =
  `This is an MP4 or QuickTime file without its file type at the beginning.${CONVERT}`;
const SEGMENT = 'This is one segment of a stream, not a whole video.';

/** Offset, bytes as Latin-1, sentence. The first that fits decides. */
const SIGNATURES: [number, string, string][] = [
  [0, '\xff\xd8\xff', 'This is a JPEG image, not a video.'],
  [0, '\x89PNG\r\n\x1a\n', 'This is a PNG image, not a video.'],
  [0, 'GIF87a', 'This is a GIF image, not a video.'],
  [0, 'GIF89a', 'This is a GIF image, not a video.'],
  [8, 'WEBP', 'This is a WebP image, not a video.'],
  [0, 'II*\x00', IMAGE], // TIFF and most raw photographs
  [0, 'MM\x00*', IMAGE],
  [0, '8BPS', IMAGE], // Photoshop
  [0, '\xff\n', IMAGE], // JPEG XL
  [0, '\x00\x00\x00\x0cJXL \r\n\x87\n', IMAGE],
  [0, '\x00\x00\x00\x0cjP  \r\n\x87\n', IMAGE], // JPEG 2000
  [8, 'AVI ', AVI],
  [8, 'WAVE', AUDIO],
  [8, 'AIFF', AUDIO],
  [8, 'AIFC', AUDIO],
  [0, 'ID3', AUDIO],
  [0, 'fLaC', AUDIO],
  [0, 'OggS', `This is an Ogg file, audio or old video.${CONVERT}`],
  [0, '\x0bw', AUDIO], // AC-3
  [0, '#!AMR', AUDIO],
  [0, 'FLV\x01', FLV],
  [0, '0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel', ASF],
  [0, '.RMF', `This is a RealMedia file.${CONVERT}`],
  [0, '\x06\x0e+4\x02\x05\x01\x01', `This is an MXF file.${CONVERT}`],
  [0, '\x00\x00\x01\xba', PS],
  [0, '\x00\x00\x01\xb3', RAW], // MPEG-1 and -2 sequence header
  [0, '\x00\x00\x00\x01g', RAW], // H.264 sequence parameter set
  [0, '\x00\x00\x00\x01\x09', RAW], // H.264 access unit delimiter
  [0, '\x00\x00\x00\x01@\x01', RAW], // H.265 video parameter set
  [0, '\x00\x00\x00\x01F\x01', RAW], // H.265 access unit delimiter
  [0, 'DKIF', RAW], // IVF
  [0, 'YUV4MPEG2 ', RAW],
  [4, 'moov', NO_FTYP],
  [4, 'mdat', NO_FTYP],
  [4, 'wide', NO_FTYP],
  [4, 'free', NO_FTYP],
  [4, 'skip', NO_FTYP],
  [4, 'pnot', NO_FTYP],
  [4, 'styp', SEGMENT],
  [4, 'sidx', SEGMENT],
  [4, 'moof', SEGMENT],
  [0, 'PK\x03\x04', 'This is a ZIP archive or a document, not a video.'],
  [0, 'PK\x05\x06', 'This is a ZIP archive or a document, not a video.'],
  [0, '%PDF-', 'This is a PDF document, not a video.'],
  [0, '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'This is a document, not a video.'],
  [0, 'Rar!\x1a\x07', ARCHIVE],
  [0, '7z\xbc\xaf\x27\x1c', ARCHIVE],
  [0, '\x1f\x8b\x08', ARCHIVE],
  [0, 'BZh', ARCHIVE],
  [0, '\xfd7zXZ\x00', ARCHIVE],
  [0, '(\xb5/\xfd', ARCHIVE], // Zstandard
  [257, 'ustar', ARCHIVE],
  [0, '\x7fELF', PROGRAM],
  [0, 'MZ', PROGRAM],
  [0, '\xcf\xfa\xed\xfe', PROGRAM], // Mach-O
  [0, '\xca\xfe\xba\xbe', PROGRAM], // Mach-O, Java class
];

/** What a text begins with, in any case of letters, after a BOM and blanks. */
const TEXTS: [string, string][] = [
  ['#EXTM3U', 'This is an HLS playlist, not a video: it only names other files.'],
  ['#!', 'This is a script, not a video.'],
  ['<?php', 'This is a script, not a video.'],
  ['<?xml', 'This is an XML document, not a video.'],
  ['<svg', 'This is an SVG image, not a video.'],
  ['<!doctype', 'This is a web page, not a video.'],
  ['<html', 'This is a web page, not a video.'],
];

/** Tab, LF, FF, CR, escape and all that is no control character, in any encoding. */
const isText = (c: number) => (c >= 0x20 && c !== 0x7f) || [9, 10, 12, 13, 0x1b].includes(c);

function textReason(text: string): string | undefined {
  const start = text.replace(/^\xef\xbb\xbf/, '').replace(/^[ \t-\r]+/, '').slice(0, 16).toLowerCase();
  return TEXTS.find(([begin]) => start.startsWith(begin.toLowerCase()))?.[1];
}

/** An MPEG audio or ADTS frame header (ISO 11172-3 s. 2.4.1.3, ISO 13818-7 s. 6.2). */
function isAudioFrame(a: number, b: number, c: number): boolean {
  if (a !== 0xff) return false;
  const adts = (b & 0xf6) === 0xf0;
  const layer3 =
    (b & 0xe6) === 0xe2 && (b & 0x18) !== 0x08 && c >> 4 !== 15 && (c & 0x0c) !== 0x0c;
  return adts || layer3;
}

/** Sync bytes of three packets of 188 bytes, or of 192 with a time stamp before each. */
function isTransportStream(d: Uint8Array): boolean {
  return [0, 188, 376].every((i) => d[i] === 0x47) || [4, 196, 388].every((i) => d[i] === 0x47);
}

/** A sentence for a person about a file that begins with these bytes, at least one. */
export function refuse(data: Uint8Array): string {
  const text = String.fromCharCode(...data);
  const known = SIGNATURES.find(([at, bytes]) => text.startsWith(bytes, at));
  if (known) return known[2];
  const begin = textReason(text);
  if (begin !== undefined) return begin;
  if (isTransportStream(data)) return TS;
  const [a, b, c] = data;
  if (a !== undefined && b !== undefined && c !== undefined && isAudioFrame(a, b, c)) return AUDIO;
  const probe = data.subarray(0, TEXT_PROBE);
  if (probe.every((byte) => byte === 0)) {
    return 'The file begins with zeros only: it was not copied completely.';
  }
  if (probe.every(isText) || /^(\xff\xfe|\xfe\xff)/.test(text)) {
    return 'This is a text file, not a video.';
  }
  return `The file is not recognised as a video.${CONVERT}`;
}
