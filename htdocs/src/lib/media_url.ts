/** Addresses of media, /media/<key>/<place>. The key is whoever's it was handed out to, and may
 * be replaced by another one; the place stays. Pure. */
const MEDIA = /^((?:https?:\/\/[^/]+)?\/media\/)([^/]+)(\/.*)$/;

/** "" where it is no such address. */
export const keyOf = (url: string): string => MEDIA.exec(url)?.[2] ?? '';

/** The same place under another key. */
export const withKey = (url: string, key: string): string => url.replace(MEDIA, `$1${key}$3`);

/** Without the key, so that the same file has the same place. */
export const placeOf = (url: string): string => MEDIA.exec(url)?.[3] ?? url;
