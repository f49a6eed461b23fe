import { expect, test } from 'vitest';

import { routeOf } from './router.svelte';

test.each([
  ['/', { page: 'library' }],
  ['/index.html', { page: 'library' }],
  ['/activity', { page: 'activity' }],
  ['/watch/abcdefgh234567yz', { page: 'watch', id: 'abcdefgh234567yz' }],
  ['/activity/', { page: 'activity' }],
  ['/watch/abc/', { page: 'watch', id: 'abc' }],
  ['/watch/', { page: 'missing' }],
  ['/watch/ABC', { page: 'missing' }],
  ['/watch/a/b', { page: 'missing' }],
  ['/elsewhere', { page: 'missing' }],
])('%s', (path, route) => expect(routeOf(path)).toEqual(route));
