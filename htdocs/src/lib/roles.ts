/** What a role is called, and what it may. */
import type { Role } from './account_api';

export const ROLES: [Role, string, string][] = [
  ['viewer', 'Viewer', 'watches what is for everyone who is signed in'],
  ['member', 'Member', 'uploads too, and manages what is theirs'],
  ['owner', 'Owner', 'sees and manages everything'],
];
