/**
 * What a browser keeps of uploads that are not finished, for when the page is opened
 * again. It is the same for all pages of the site, so it is read anew each time.
 */
import type { FileFacts } from './fingerprint';

export interface Note extends FileFacts {
  uploadId: string;
  /** Given up by the person; the server is yet to be told. */
  forgotten?: true;
}

/** As much of localStorage as is used. */
export type Shelf = Pick<Storage, 'getItem' | 'setItem'>;

export const SHELF_KEY = 'dropstream-unfinished';
/** The oldest ones go first. */
const NOTES_MAX = 50;

const TYPES = {
  uploadId: 'string',
  name: 'string',
  size: 'number',
  lastModified: 'number',
  fingerprint: 'string',
} as const;

/** Whatever lies on the shelf may be of another version, or another's. */
function isNote(value: unknown): value is Note {
  const note = value as Record<string, unknown> | null;
  return (
    typeof note === 'object' &&
    note !== null &&
    Object.entries(TYPES).every(([key, type]) => typeof note[key] === type)
  );
}

function parse(text: string | null): Note[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isNote) : [];
  } catch {
    return [];
  }
}

/** A shelf that is gone with the page. */
export function memoryShelf(): Shelf {
  const things = new Map<string, string>();
  return {
    getItem: (key) => things.get(key) ?? null,
    setItem: (key, value) => void things.set(key, value),
  };
}

/** The browser's own, unless it allows the site none. */
export function browserShelf(): Shelf {
  try {
    return localStorage;
  } catch {
    return memoryShelf();
  }
}

export class Notebook {
  readonly #place: string;

  /** of: whose uploads they are, where people share a browser; "": there are no accounts. */
  constructor(
    private readonly shelf: Shelf,
    of = '',
  ) {
    this.#place = of === '' ? SHELF_KEY : `${SHELF_KEY}-${of}`;
  }

  all(): Note[] {
    return parse(this.shelf.getItem(this.#place));
  }

  /** Takes the place of an earlier note of the same upload. */
  put(note: Note): void {
    this.#write([...this.#others(note.uploadId), note].slice(-NOTES_MAX));
  }

  remove(uploadId: string): void {
    this.#write(this.#others(uploadId));
  }

  #others(uploadId: string): Note[] {
    return this.all().filter((note) => note.uploadId !== uploadId);
  }

  #write(notes: Note[]): void {
    try {
      this.shelf.setItem(this.#place, JSON.stringify(notes));
    } catch {
      // No room: then a file that is picked again is sent from its beginning.
    }
  }
}
