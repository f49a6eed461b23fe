/**
 * Subtitles as <track> elements of the browser's own, and not by hls.js: what is added to a
 * video that is being watched appears at once, and what is taken away goes, while hls.js
 * reads its master but once.
 */
import { placeOf } from '../lib/media_url';

export interface TextTrackOf {
  url: string;
  lang: string;
  name: string;
}

/** The tracks made here. A video has others too: that of the small pictures is put there by
 * the element around it. */
const made = new WeakSet<HTMLTrackElement>();

/** Without the version of its text. */
const fileOf = (url: string) => placeOf(url).replace(/\?.*/, '');

const LOADED = 2; // HTMLTrackElement's, which is not there where there is no browser

/** Makes the subtitles of a video element the wanted ones. Those that stay are not touched: a
 * track that is moved about would be switched off. Nor is one that has its text already, where
 * the same text is at another address now; one that has not is told. */
export function keepTracks(video: HTMLVideoElement, wanted: readonly TextTrackOf[]): void {
  const there = new Map<string, HTMLTrackElement>();
  const shown = new Set<string>(); // of those that go, as another text takes their place
  for (const track of video.querySelectorAll('track')) {
    if (!made.has(track)) continue;
    const src = track.getAttribute('src') ?? '';
    const same = wanted.find(({ url }) => placeOf(url) === placeOf(src));
    if (same) {
      there.set(same.url, track);
      if (same.url !== src && track.readyState !== LOADED) track.src = same.url;
    } else {
      if (track.track.mode === 'showing') shown.add(fileOf(src));
      track.remove();
    }
  }
  for (const { url, lang, name } of wanted) {
    if (there.has(url)) continue;
    const track = document.createElement('track');
    made.add(track);
    track.kind = 'subtitles';
    track.srclang = lang;
    track.label = name;
    track.src = url;
    video.append(track);
    // Chromium switches a track on that it has not seen changed yet, once any was chosen.
    track.track.mode = 'hidden';
    track.track.mode = shown.has(fileOf(url)) ? 'showing' : 'disabled';
  }
}
