import { expect, test } from 'vitest';

import { routeOf } from './router.svelte';

test.each([
  ['/', { page: 'library' }],
  ['/index.html', { page: 'library' }],
  ['/activity', { page: 'activity' }],
  ['/watch/abcdefgh234567yz', { page: 'watch', id: 'abcdefgh234567yz' }],
  ['/activity/', { page: 'activity' }],
  ['/watch/abc/', { page: 'watch', id: 'abc' }],
  ['/login', { page: 'login' }],
  ['/account/', { page: 'account' }],
  ['/s/abcdefgh234567', { page: 'share', token: 'abcdefgh234567' }],
  ['/e/abcdefgh234567/', { page: 'embed', token: 'abcdefgh234567' }],
  ['/s/', { page: 'missing' }],
  ['/login/abc', { page: 'missing' }],
  ['/constructor', { page: 'missing' }],
  ['/watch/', { page: 'missing' }],
  ['/watch/ABC', { page: 'missing' }],
  ['/watch/a/b', { page: 'missing' }],
  ['/elsewhere', { page: 'missing' }],
])('%s', (path, route) => expect(routeOf(path)).toEqual(route));
