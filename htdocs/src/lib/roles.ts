/** What a role is called, and what it may. */
import type { Role } from './account_api';

export const ROLES: [Role, string, string][] = [
  ['viewer', 'Viewer', 'watches what is for everyone who is signed in'],
  ['member', 'Member', 'uploads too, and manages what is theirs'],
  ['owner', 'Owner', 'sees and manages everything'],
];

const A_ROLE: Record<Role, string> = { viewer: 'a viewer', member: 'a member', owner: 'an owner' };

/** A question, what follows from a yes, and what that is called. */
export interface Question {
  heading: string;
  text: string;
  confirm: string;
}

/** Of one who is an owner and asks to be no more. */
const givingUp = (to: Role): Question => ({
  heading: 'Give up owning this site?',
  text:
    `You become ${A_ROLE[to]}, and cannot take that back: only another owner could. You are ` +
    'signed out here and everywhere else at once, your tokens end, and so do the links that you ' +
    'have made to videos of others.',
  confirm: 'Give it up',
});

/** me: it is who is asked. The server ends sessions and tokens with any role. */
export function roleQuestion(name: string, from: Role, to: Role, me: boolean): Question {
  if (me) return givingUp(to);
  const links = from === 'owner' ? ', as do links of theirs to videos of others' : '';
  return {
    heading: `Make ${name} ${A_ROLE[to]}?`,
    text: `${name} is signed out everywhere and has to sign in again. Tokens of theirs end${links}.`,
    confirm: 'Change the role',
  };
}

/** "" for none. */
const endedLinks = (name: string, n: number) =>
  n === 0 ? '' : ` ${n === 1 ? 'One link' : `${n} links`} of ${name} to videos of others ended by it.`;

/** ended: links of theirs to videos of others. */
export const afterRoleChange = (name: string, role: Role, ended: number): string =>
  `${name} is ${A_ROLE[role]} now.${endedLinks(name, ended)}`;
export const afterRemoval = (name: string, ended: number): string =>
  `${name} has no account any more.${endedLinks(name, ended)}`;
