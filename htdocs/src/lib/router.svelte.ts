/**
 * Pages by the History API. Links are plain <a href>, so that a middle click, a copied
 * address and a reload all work; only an ordinary click is taken over.
 */
export type Route =
  | { page: 'library' }
  | { page: 'watch'; id: string }
  | { page: 'activity' }
  | { page: 'missing' };

export function routeOf(path: string): Route {
  if (path === '/' || path === '/index.html') return { page: 'library' };
  if (/^\/activity\/?$/.test(path)) return { page: 'activity' };
  const watch = /^\/watch\/([a-z2-7]+)\/?$/.exec(path);
  return watch?.[1] ? { page: 'watch', id: watch[1] } : { page: 'missing' };
}

/** The address to go to if this click is one to take over. */
function takenOver(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link || link.target !== '' || link.hasAttribute('download')) return null;
  if (link.origin !== location.origin || link.getAttribute('href')?.startsWith('#')) return null;
  return routeOf(link.pathname).page === 'missing' ? null : link.pathname;
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
