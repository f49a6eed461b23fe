import { expect, test } from 'vitest';

import { ApiError } from './api';
import { outcomeOf, pauseAfter } from './outcome';

const outcomes = (resuming: boolean, ...statuses: number[]) => [
  ...new Set(statuses.map((status) => outcomeOf(new ApiError(status, '', ''), resuming))),
];

test('a line that broke and a server in trouble end nothing', () => {
  for (const resuming of [false, true]) {
    expect(outcomes(resuming, 0, 500, 502, 503, 504)).toEqual(['again']);
    expect(outcomes(resuming, 408, 409, 423, 425, 429)).toEqual(['again']);
  }
});

test('a refusal ends it, and so does a full disk', () => {
  for (const resuming of [false, true]) {
    expect(outcomes(resuming, 400, 412, 413, 415, 422, 507)).toEqual(['final']);
  }
});

test('who is signed out, or may not, can sign in and go on', () => {
  for (const resuming of [false, true]) expect(outcomes(resuming, 401, 403)).toEqual(['barred']);
});

test('what the server does not know any more is begun anew, but only what it knew', () => {
  expect(outcomes(true, 404, 410)).toEqual(['anew']);
  expect(outcomes(false, 404, 410)).toEqual(['final']);
});

test('an answer in place of the server’s is no end to what was begun', () => {
  expect(outcomes(true, 200, 302)).toEqual(['again']);
  expect(outcomes(false, 201)).toEqual(['final']);
});

test('pauses grow, up to half a minute', () => {
  const pauses = Array.from({ length: 20 }, (_, tries) => pauseAfter(tries));
  expect(pauses.slice(0, 6)).toEqual([1, 2, 4, 8, 15, 30]);
  expect(pauses.slice(6).every((s) => s === 30)).toBe(true);
});
