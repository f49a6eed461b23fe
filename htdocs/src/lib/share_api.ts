/** The client of shares: the links by which a video is watched without an account. Like
 * api.ts. */
import { call, type Segments, type Watchable } from './api';

/** One of a video's links, as whoever may share it sees it. */
export interface Share {
  token: string;
  /** "/s/<token>" */
  url: string;
  /** "/e/<token>"; null: it may not be embedded. */
  embed_url: string | null;
  created_at: string;
  /** null: never. */
  expires_at: string | null;
  has_password: boolean;
  download: boolean;
  /** The origins that may embed it; true: any. */
  embed: boolean | string[];
  created_by: string | null;
}

export interface NewShare {
  /** Seconds; null: it does not expire. */
  expires_in: number | null;
  /** null: none. */
  password: string | null;
  download: boolean;
  embed: boolean | string[];
}

/** What whoever has a link may see. */
export interface SharedVideo extends Watchable {
  expires_at: string | null;
  /** Where its file is; null: it is not given away. */
  download: string | null;
  embed: boolean;
  /** After a password: shows that it was the right one, where no cookie is kept. */
  proof?: string;
}

const sharesOf = (id: string) => `/api/videos/${encodeURIComponent(id)}/shares`;
const shareAt = (token: string) => `/api/shares/${encodeURIComponent(token)}`;
const proven = (proof: string): Record<string, string> =>
  proof === '' ? {} : { 'Share-Password-Proof': proof };

export const listShares = async (id: string): Promise<Share[]> =>
  (await call<{ shares: Share[] }>('GET', sharesOf(id))).shares;
export const addShare = (id: string, share: NewShare): Promise<Share> =>
  call('POST', sharesOf(id), share);
export const deleteShare = (token: string): Promise<void> => call('DELETE', shareAt(token));

/** proof: "" where there is none. */
export const getShared = (token: string, proof: string): Promise<SharedVideo> =>
  call('GET', shareAt(token), undefined, proven(proof));
export const openShared = (token: string, password: string): Promise<SharedVideo> =>
  call('POST', shareAt(token), { password });
export const getSharedSegments = (token: string, proof: string): Promise<Segments> =>
  call('GET', `${shareAt(token)}/segments`, undefined, proven(proof));
