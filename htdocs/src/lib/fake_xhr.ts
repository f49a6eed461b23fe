type Handler<T extends unknown[]> = ((...args: T) => void) | null;

/** An XMLHttpRequest whose server is the test. Only what the uploads use. */
export class FakeXhr {
  static all: FakeXhr[] = [];
  static get last(): FakeXhr {
    return FakeXhr.all.at(-1)!;
  }
  upload: {
    onprogress: Handler<[{ loaded: number; total: number; lengthComputable: boolean }]>;
    onload: Handler<[]>;
  } = { onprogress: null, onload: null };
  onload: Handler<[]> = null;
  onerror: Handler<[]> = null;
  status = 0;
  responseText = '';
  method = '';
  url = '';
  headers: Record<string, string> = {};
  body: unknown = null;
  aborted = false;
  #answered: Record<string, string> = {};

  constructor() {
    FakeXhr.all.push(this);
  }
  open(method: string, url: string) {
    this.method = method;
    this.url = url;
  }
  setRequestHeader(name: string, value: string) {
    this.headers[name] = value;
  }
  getResponseHeader(name: string) {
    return this.#answered[name] ?? null;
  }
  send(body: unknown) {
    this.body = body;
  }
  abort() {
    this.aborted = true;
    // As in browsers: an abort is no error event, but some fire it on a lost line.
    this.onerror?.();
  }

  get form(): FormData {
    return this.body as FormData;
  }
  progress(loaded: number, total: number) {
    this.upload.onprogress?.({ loaded, total, lengthComputable: true });
  }
  answer(status: number, body: unknown = '', headers: Record<string, string> = {}) {
    this.status = status;
    this.responseText = typeof body === 'string' ? body : JSON.stringify(body);
    this.#answered = headers;
    this.onload?.();
  }
  breakLine() {
    this.onerror?.();
  }
}
