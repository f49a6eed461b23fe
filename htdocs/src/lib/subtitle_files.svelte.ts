/** Adding files of subtitles to a video, and taking them away. */
import * as api from './api';
import { freeName } from './subtitles';

/** What it needs of the video that is shown. */
export interface Shown {
  readonly id: string;
  readonly video: api.Video | null;
  /** There is news of it. */
  show(video: api.Video): void;
}

export class SubtitleFiles {
  #sending = $state(false);
  #problem = $state('');

  constructor(private readonly shown: Shown) {}

  get sending(): boolean {
    return this.#sending;
  }
  /** Why the last one could not be added; "" if it was. */
  get problem(): string {
    return this.#problem;
  }

  /** It is given up: what was wrong with it is of no interest any more. */
  dismiss(): void {
    this.#problem = '';
  }

  async add(file: File, language: string): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    this.#problem = '';
    const name = freeName(language, this.shown.video?.subtitles ?? []);
    try {
      this.shown.show(await api.putSubtitles(this.shown.id, name, file));
    } catch (e) {
      this.#problem = (e as Error).message;
    } finally {
      this.#sending = false;
    }
  }

  /** Rejects with what to say. */
  async remove(lang: string): Promise<void> {
    await api.deleteSubtitles(this.shown.id, lang);
    const { video } = this.shown;
    if (video) {
      this.shown.show({ ...video, subtitles: video.subtitles.filter((s) => s.lang !== lang) });
    }
  }
}
