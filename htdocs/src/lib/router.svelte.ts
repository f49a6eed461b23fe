/**
 * Pages by the History API. Links are plain <a href>, so that a middle click, a copied
 * address and a reload all work; only an ordinary click is taken over.
 */
export type Route =
  | { page: 'library' }
  | { page: 'watch'; id: string }
  | { page: 'activity' }
  | { page: 'login' }
  | { page: 'account' }
  | { page: 'share'; token: string }
  | { page: 'embed'; token: string }
  | { page: 'missing' };

const PLAIN = ['activity', 'login', 'account'] as const;

export function routeOf(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'library' };
  const [, first = '', rest = ''] = /^\/([a-z]+)(?:\/([a-z2-7]+))?\/?$/.exec(path) ?? [];
  if (rest === '') {
    return { page: PLAIN.find((page) => page === first) ?? 'missing' };
  }
  if (first === 'watch') return { page: 'watch', id: rest };
  if (first === 's') return { page: 'share', token: rest };
  return first === 'e' ? { page: 'embed', token: rest } : { page: 'missing' };
}

/** What is no part of the site that one is signed in to is a page of its own. */
const ELSEWHERE: Route['page'][] = ['share', 'embed', 'missing'];

/** The address to go to if this click is one to take over. */
function takenOver(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target !== '' || link.hasAttribute('download')) return null;
  if (link.origin !== location.origin || link.getAttribute('href')?.startsWith('#')) return null;
  return ELSEWHERE.includes(routeOf(link.pathname).page) ? null : link.pathname;
}

export class Router {
  #path = $state(location.pathname);
  readonly #route = $derived(routeOf(this.#path));

  get route(): Route {
    return this.#route;
  }
  get path(): string {
    return this.#path;
  }

  go(path: string): void {
    if (path !== this.#path) history.pushState(null, '', path);
    this.#path = path;
    scrollTo(0, 0);
  }

  /** In place of where one is: there is no way back to that. */
  replace(path: string): void {
    history.replaceState(null, '', path);
    this.#path = path;
  }

  /** Begins to listen; returns how to stop. */
  start(): () => void {
    const click = (event: MouseEvent) => {
      const path = takenOver(event);
      if (path === null) return;
      event.preventDefault();
      this.go(path);
    };
    const back = () => (this.#path = location.pathname);
    document.addEventListener('click', click);
    addEventListener('popstate', back);
    return () => {
      document.removeEventListener('click', click);
      removeEventListener('popstate', back);
    };
  }
}
