/*
 * style_hashes.mjs: prints etc/style_hashes.conf, the styles that the Content-Security-Policy
 * of the pages allows besides those of the site's own files. `make style-hashes` runs it.
 *
 * media-chrome's elements bring their styles as text, in <style> elements of their shadow
 * roots. Which texts those are is fixed by the lock file; each is allowed by its hash (CSP 3,
 * s. 2.3.1), so that no other one is.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

import { globalThis as shim } from 'media-chrome/dist/utils/server-safe-globals.js';

const PLAYER = new URL('src/player/', import.meta.url);
const FAVICON = new URL('public/favicon.svg', import.meta.url);

/* What the player's files import of media-chrome. */
function imported() {
  const texts = readdirSync(PLAYER).map((name) => readFileSync(new URL(name, PLAYER), 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/^ *import '(media-chrome\/[^']+)'/gm)].map(([, name]) => name));
}

/* The HTML of every element that comes with that, each as it is without attributes. */
async function templates() {
  const found = [];
  shim.customElements.define = (name, element) => found.push(element);
  for (const name of new Set(imported())) await import(name);
  const { HlsVideoElement } = await import('hls-video-element');
  return [...found, HlsVideoElement].map((element) => element.getTemplateHTML({}, {}));
}

const hashOf = (text) => createHash('sha256').update(text).digest('base64');
const stylesOf = (text) => [...text.matchAll(/<style[^>]*>([^]*?)<\/style>/g)].map(([, style]) => style);

const texts = [...(await templates()), readFileSync(FAVICON, 'utf8')].flatMap(stylesOf);
const hashes = [...new Set(texts.map(hashOf))].sort();
console.log('# Made by `make style-hashes` of what the player is made of, and of the icon.');
console.log('var.style_hashes = ""');
for (const hash of hashes) console.log(`var.style_hashes += " 'sha256-${hash}'"`);
