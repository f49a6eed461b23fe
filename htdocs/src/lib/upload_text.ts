/** What a person is told of an upload. Pure. */
import { formatBytes, formatEta, formatPercent, formatSpeed } from './format';
import type { Unfinished } from './unfinished.svelte';
import type { Upload } from './upload.svelte';

const list = (...parts: string[]) => parts.filter((part) => part !== '').join(' · ');

/** How it stands; "" where its message says it all. */
export function uploadText(
  u: Pick<Upload, 'state' | 'sent' | 'speed' | 'eta' | 'pause'> & { file: { size: number } },
): string {
  const size = formatBytes(u.file.size);
  switch (u.state) {
    case 'checking':
      return 'Looking at it…';
    case 'waiting':
      return `Waiting for its turn · ${size}`;
    case 'asking':
      return 'Asking the server how much of it has arrived…';
    case 'sending':
      return list(
        `${formatBytes(u.sent)} of ${size}`,
        u.speed > 0 ? formatSpeed(u.speed) : '',
        formatEta(u.eta),
      );
    case 'finishing':
      return 'All sent. Making sure that it is kept…';
    case 'lost':
      return `Going on in ${u.pause} s…`;
    case 'barred':
      return `${formatBytes(u.sent)} of ${size}`;
    case 'done':
      return `Uploaded · ${size}`;
    case 'refused':
    case 'failed':
      return '';
  }
}

/** How much of an unfinished upload the server has. */
export function unfinishedText({ received, size }: Unfinished): string {
  if (received === null) return formatBytes(size);
  return `${formatPercent(received / size)} of ${formatBytes(size)} has arrived`;
}
