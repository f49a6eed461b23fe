import { expect, test } from 'vitest';

import { formatMoment } from './format';
import type { Share } from './share_api';
import { DEFAULT_EXPIRY, embedCode, EXPIRIES, originsIn, shareFacts } from './share_text';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const MADE = formatMoment('2026-03-10T11:00:00Z');
const share = (over: Partial<Share> = {}): Share => ({
  token: 'tttt',
  url: '/s/tttt',
  embed_url: null,
  created_at: '2026-03-10T11:00:00Z',
  expires_at: null,
  has_password: false,
  download: false,
  embed: false,
  created_by: null,
  ...over,
});

test('of a link it is said what is special about it', () => {
  expect(shareFacts(share(), NOW)).toEqual(['never ends', `made ${MADE}`]);
  const special = { has_password: true, download: true, embed: true, created_by: 'ada' };
  expect(shareFacts(share({ ...special, expires_at: '2026-03-13T12:00:00Z' }), NOW)).toEqual([
    'ends in 3 days',
    'password',
    'may be downloaded',
    'may be embedded anywhere',
    `made ${MADE} by ada`,
  ]);
  expect(shareFacts(share({ embed: ['https://a.org', 'https://b.org'] }), NOW)[1]).toBe(
    'may be embedded by https://a.org, https://b.org',
  );
});

test('a link ends after a month unless one wants another end, or none', () => {
  expect(EXPIRIES.find(([, seconds]) => seconds === DEFAULT_EXPIRY)?.[0]).toBe('30 days');
  expect(EXPIRIES).toContainEqual(['Never', null]);
});

test('in the code for another page a title is text, whatever is in it', () => {
  const code = embedCode('http://site/e/tttt', '"><script>alert(1)</script>&', 16 / 9);
  expect(code).toContain('title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"');
  expect(code).toContain('src="http://site/e/tttt"');
  expect(code).toContain('height="360"');
});

test('addresses of sites are brought to their origins', () => {
  expect(originsIn('')).toEqual([]);
  expect(originsIn(' https://Example.org/page?x , http://b.org:8080\nhttps://example.org')).toEqual([
    'https://example.org',
    'http://b.org:8080',
  ]);
});

test.each(['example.org', 'ftp://a.org', 'javascript:alert(1)', 'https://', "https://a.org'", 'https://x@y.org'])(
  '%s is none',
  (text) => {
    expect(() => originsIn(text)).toThrow(/is not the address of a site/);
  },
);
