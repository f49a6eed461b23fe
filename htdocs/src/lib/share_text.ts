/** What a person is told of a link, and what they type of one. Pure. */
import { formatEnd, formatMoment } from './format';
import type { Share } from './share_api';

export const EXPIRIES: [string, number | null][] = [
  ['1 hour', 3600],
  ['1 day', 86_400],
  ['7 days', 7 * 86_400],
  ['30 days', 30 * 86_400],
  ['1 year', 365 * 86_400],
  ['Never', null],
];
export const DEFAULT_EXPIRY = 30 * 86_400;

/** What is special about a link, and what tells it from others. */
export function shareFacts(share: Share, nowMs: number): string[] {
  const { embed } = share;
  return [
    formatEnd(share.expires_at, nowMs),
    share.has_password ? 'password' : '',
    share.download ? 'may be downloaded' : '',
    embed === true ? 'may be embedded anywhere' : '',
    Array.isArray(embed) ? `may be embedded by ${embed.join(', ')}` : '',
    `made ${formatMoment(share.created_at)}${share.created_by ? ` by ${share.created_by}` : ''}`,
  ].filter((fact) => fact !== '');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '"': '&quot;', '<': '&lt;', '>': '&gt;' };
const escape = (text: string) => text.replace(/[&"<>]/g, (c) => ENTITIES[c]!);

/** HTML for another site's page. shape: width over height of the picture. */
export function embedCode(url: string, title: string, shape: number): string {
  const height = Math.round(640 / shape);
  return (
    `<iframe src="${escape(url)}" title="${escape(title)}" width="640" height="${height}" ` +
    'allow="autoplay; fullscreen; picture-in-picture" allowfullscreen style="border: 0"></iframe>'
  );
}

/** The origins in what was typed; throws a sentence about what is none. */
export function originsIn(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  return [...new Set(words.map(originOf))];
}

const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])$/;

/** null: it is no address. */
function parsed(word: string): URL | null {
  try {
    return new URL(word);
  } catch {
    return null;
  }
}

function originOf(word: string): string {
  const url = parsed(word);
  if (!url || !/^https?:$/.test(url.protocol) || !HOST.test(url.hostname) || url.username !== '') {
    throw new Error(`“${word}” is not the address of a site, like https://example.org.`);
  }
  return url.origin;
}
