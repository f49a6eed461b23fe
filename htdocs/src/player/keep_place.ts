/** As much of a media element as is asked about. */
export interface Playing extends EventTarget {
  currentTime: number;
}

/** Has the element begin where its viewer was, and takes note of where they are, so that another
 * one begins there. place.at: seconds. Returns how to stop. */
export function keepPlace(media: Playing, place: { at: number }): () => void {
  const begin = () => {
    if (place.at > media.currentTime) media.currentTime = place.at;
  };
  const note = () => (place.at = media.currentTime);
  media.addEventListener('loadedmetadata', begin, { once: true });
  media.addEventListener('timeupdate', note);
  return () => {
    media.removeEventListener('loadedmetadata', begin);
    media.removeEventListener('timeupdate', note);
  };
}
