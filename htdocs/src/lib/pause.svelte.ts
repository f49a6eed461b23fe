/** A wait that can be watched, and cut short. */
export class Pause {
  #left = $state(0);
  #then: (() => void) | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Whole seconds to go; 0 while there is nothing to wait for. */
  get left(): number {
    return this.#left;
  }

  /** then is called once, unless stop() comes first. */
  start(seconds: number, then: () => void): void {
    this.stop();
    this.#left = seconds;
    this.#then = then;
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  /** Not later but now. */
  cut(): void {
    const then = this.#then;
    this.stop();
    then?.();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#then = null;
    this.#left = 0;
  }

  #tick(): void {
    if (this.#left > 1) this.#left -= 1;
    else this.cut();
  }
}
