import { beforeEach, expect, test } from 'vitest';

import { memoryShelf, Notebook, SHELF_KEY, type Note, type Shelf } from './notebook';

const note = (uploadId: string, over: Partial<Note> = {}): Note => ({
  ...{ uploadId, name: 'a.mp4', size: 1000, lastModified: 7, fingerprint: 'fnv-1' },
  ...over,
});

let shelf: Shelf;
let book: Notebook;
beforeEach(() => {
  shelf = memoryShelf();
  book = new Notebook(shelf);
});

const ids = () => book.all().map((n) => n.uploadId);

test('notes stay in order, and another page finds them', () => {
  book.put(note('a'));
  book.put(note('b', { forgotten: true }));
  expect(new Notebook(shelf).all()).toEqual([note('a'), note('b', { forgotten: true })]);
});

test('a note takes the place of one of the same upload', () => {
  book.put(note('a'));
  book.put(note('a', { forgotten: true }));
  expect(book.all()).toEqual([note('a', { forgotten: true })]);
});

test('a removed note is gone, one that never was does no harm', () => {
  book.put(note('a'));
  book.put(note('b'));
  book.remove('a');
  book.remove('zzz');
  expect(ids()).toEqual(['b']);
});

test('of very many the oldest ones go', () => {
  for (let i = 0; i < 60; i++) book.put(note(`${i}`));
  expect(ids()).toHaveLength(50);
  expect(ids()[0]).toBe('10');
});

test('what is no note is passed over', () => {
  for (const junk of ['', 'junk', '{}', 'null', '7', '[null, 7, {"uploadId": "x"}]']) {
    shelf.setItem(SHELF_KEY, junk);
    expect(book.all()).toEqual([]);
  }
  shelf.setItem(SHELF_KEY, JSON.stringify([{ uploadId: 'x' }, note('a'), note('b', { size: '1' as never })]));
  expect(ids()).toEqual(['a']);
});

test('a shelf without room ends nothing', () => {
  book.put(note('a'));
  shelf.setItem = () => {
    throw new Error('QuotaExceededError');
  };
  book.put(note('b'));
  expect(ids()).toEqual(['a']);
});
