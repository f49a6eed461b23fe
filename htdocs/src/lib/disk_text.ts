/** What there is to say of the site's disk. Pure. */
import type { DiskUse } from './api';
import { formatBytes } from './format';

export interface DiskText {
  /** 0..1 of what there is to use. */
  share: number;
  text: string;
  tone: 'accent' | 'warn';
}

/** Of what is used and what still may be: the reserve counts as neither. */
export function diskText(disk: DiskUse): DiskText {
  const used = disk.originals + disk.media;
  const left = Math.max(0, (disk.free ?? 0) - disk.reserve);
  const budget = disk.budget === null ? '' : ` of at most ${formatBytes(disk.budget)}`;
  const parts = [
    `${formatBytes(disk.originals)} of files as they were uploaded`,
    `${formatBytes(disk.media)}${budget} made of them`,
    disk.free === null
      ? 'nobody knows how much is free'
      : `${formatBytes(disk.free)} free, of which ${formatBytes(disk.reserve)} stay free`,
  ];
  return {
    share: used + left > 0 ? used / (used + left) : 1,
    text: parts.join(' · '),
    tone: disk.paused ? 'warn' : 'accent',
  };
}
