import { expect, test } from 'vitest';

import { freeName, guessLanguage, languageName, LANGUAGES, numberedName, subtitleName, tagOf } from './subtitles';

test('a language is guessed from the name of a file', () => {
  const names: [string, string][] = [
    ['film.de.srt', 'de'],
    ['Film.PT-br.vtt', 'pt-BR'],
    ['film.eng.srt', 'en'],
    ['film.ger.srt', 'de'],
    ['Some.Film.2019.fr.forced.srt', 'fr'],
    ['film_English.srt', 'en'],
    ['film 1 [Spanish].srt', 'es'],
    ['S01.E02-de.srt', 'de'],
    ['film.zh-Hant.srt', 'zh-Hant'],
    ['film.srt', ''],
    ['de.srt', ''],
    ['film.1080p.x264.srt', ''],
    ['', ''],
  ];
  for (const [name, language] of names) expect([name, guessLanguage(name)]).toEqual([name, language]);
});

test('languages are shown by their names', () => {
  expect(languageName('de-2')).toBe('German');
  expect([numberedName('de'), numberedName('de-2')]).toEqual(['German', 'German 2']);
  expect(languageName('pt-BR')).toBe('Brazilian Portuguese');
  expect(languageName('und')).toBe('Unknown language');
  expect(languageName('not a tag')).toBe('not a tag');
  expect(tagOf('de-1996')).toBe('de-1996');
  for (const tag of LANGUAGES) expect(languageName(tag)).not.toBe(tag);
});

test('what a menu says tells them apart', () => {
  expect(subtitleName({ lang: 'de', label: null, forced: false })).toBe('German');
  expect(subtitleName({ lang: 'de-2', label: null, forced: true })).toBe('German 2 (forced)');
  expect(subtitleName({ lang: 'de', label: 'Signs', forced: true })).toBe('Signs');
});

test('one more of a language gets a number', () => {
  expect(freeName('en', [])).toBe('en');
  expect(freeName('en', [{ lang: 'en' }, { lang: 'de' }])).toBe('en-2');
  expect(freeName('pt-BR', [{ lang: 'pt-BR' }, { lang: 'pt-BR-2' }])).toBe('pt-BR-3');
});
