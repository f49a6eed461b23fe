/** The secret of a set-up link, /login#setup=<token>: a fragment is sent to no server, and is
 * taken out of the address bar before anybody can look over a shoulder. */
const SETUP = /^#setup=([a-z2-7]+)$/;

/** "" where the address has none. */
export function takeSetupToken(
  place: Pick<Location, 'hash' | 'pathname'> = location,
  past: Pick<History, 'replaceState'> = history,
): string {
  const token = SETUP.exec(place.hash)?.[1] ?? '';
  if (token !== '') past.replaceState(null, '', place.pathname);
  return token;
}
