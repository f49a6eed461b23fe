/** Subtitles as people see them: languages by their names, guessed from those of files. */
import type { Subtitle } from './api';

/** What is offered in a list; any other tag of a file is offered beside them. */
export const LANGUAGES = (
  'ar bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl he hi hr hu hy id is it ja ka ' +
  'kk ko la lt lv mk ml mn ms nb nl nn no pl pt pt-BR ro ru sk sl sq sr sv ta te th tr uk ur ' +
  'vi zh zh-Hans zh-Hant'
).split(' ');

/** ISO 639-2 has two codes for some languages; browsers know one of them. */
const OTHER_CODES: Record<string, string> = {
  alb: 'sq', arm: 'hy', baq: 'eu', chi: 'zh', cze: 'cs', dut: 'nl', fre: 'fr', geo: 'ka',
  ger: 'de', gre: 'el', ice: 'is', mac: 'mk', may: 'ms', per: 'fa', rum: 'ro', slo: 'sk', wel: 'cy',
};

/** Its tag: "en" of "en-2". A number alone is never part of one. */
export const tagOf = (lang: string): string => lang.replace(/-\d{1,2}$/, '');

/** "German" for "de" and "de-2", in the page's language; the tag itself if it has no name. */
export function languageName(lang: string, locale = 'en'): string {
  const tag = tagOf(lang);
  if (tag === 'und') return 'Unknown language';
  try {
    return new Intl.DisplayNames([locale], { type: 'language' }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** As languageName, but the second of a language is "German 2". */
export function numberedName(lang: string): string {
  const number = /-(\d{1,2})$/.exec(lang)?.[1];
  return languageName(lang) + (number ? ` ${number}` : '');
}

/** What a menu calls it. */
export function subtitleName(subtitle: Pick<Subtitle, 'lang' | 'label' | 'forced'>): string {
  if (subtitle.label) return subtitle.label;
  const name = numberedName(subtitle.lang);
  return subtitle.forced ? `${name} (forced)` : name;
}

function asLanguage(word: string): string {
  const lower = word.toLowerCase();
  const named = LANGUAGES.find((tag) => languageName(tag).toLowerCase() === lower);
  if (named) return named;
  try {
    const [tag = ''] = Intl.getCanonicalLocales(OTHER_CODES[lower] ?? word);
    return LANGUAGES.includes(new Intl.Locale(tag).language) ? tag : '';
  } catch {
    return '';
  }
}

/** The language in a name like film.de.srt, film.pt-BR.vtt or Film_English.srt; "" if there
 * seems to be none. */
export function guessLanguage(filename: string): string {
  const [, ...words] = filename.replace(/\.[^.]*$/, '').split(/[._ ()[\]]+/);
  for (const word of words.reverse().slice(0, 3)) {
    const found = asLanguage(word) || asLanguage(word.split('-').at(-1) ?? '');
    if (found) return found;
  }
  return '';
}

/** The name for one more of a language: "en", "en-2" … */
export function freeName(tag: string, there: readonly Pick<Subtitle, 'lang'>[]): string {
  const taken = new Set(there.map(({ lang }) => lang.toLowerCase()));
  let name = tag;
  for (let k = 2; taken.has(name.toLowerCase()); k++) name = `${tag}-${k}`;
  return name;
}
