/** An XMLHttpRequest whose server is the test. Only what send.ts uses. */
export class FakeXhr {
  static all: FakeXhr[] = [];
  upload: {
    onprogress: ((e: { loaded: number; total: number }) => void) | null;
    onload: (() => void) | null;
  } = { onprogress: null, onload: null };
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  status = 0;
  responseText = '';
  method = '';
  url = '';
  body: FormData | null = null;
  aborted = false;

  constructor() {
    FakeXhr.all.push(this);
  }
  open(method: string, url: string) {
    this.method = method;
    this.url = url;
  }
  send(body: FormData) {
    this.body = body;
  }
  abort() {
    this.aborted = true;
    // As in browsers: an abort is no error event, but some fire it on a lost line.
    this.onerror?.();
  }

  progress(loaded: number, total: number) {
    this.upload.onprogress?.({ loaded, total });
  }
  answer(status: number, body: unknown) {
    this.status = status;
    this.responseText = typeof body === 'string' ? body : JSON.stringify(body);
    this.onload?.();
  }
  breakLine() {
    this.onerror?.();
  }
}

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
