import { expect, test } from 'vitest';

import { roleQuestion } from './roles';

test('before a role changes it is said what ends by it', () => {
  const { heading, text } = roleQuestion('bob', 'member', 'viewer', false);
  expect(heading).toBe('Make bob a viewer?');
  expect(text).toMatch(/signed out everywhere.*Tokens of theirs end/);
  expect(text).not.toContain('links');
  expect(roleQuestion('bob', 'owner', 'member', false).text).toContain('links of theirs to videos of others');
});

test('whoever would be an owner no more is told so plainly', () => {
  const { heading, text, confirm } = roleQuestion('ada', 'owner', 'viewer', true);
  expect([heading, confirm]).toEqual(['Give up owning this site?', 'Give it up']);
  expect(text).toMatch(/You become a viewer, and cannot take that back.*signed out.*tokens end.*links/);
});
