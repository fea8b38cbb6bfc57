import { inspect } from 'node:util'

/**
 * A key or password on its way from the environment to the driver. Printing, logging, concatenating or serialising it
 * shows `[hidden]`: only `reveal()` gives the text, which makes every use of it easy to find.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[hidden]'
  }

  toJSON(): string {
    return '[hidden]'
  }

  [inspect.custom](): string {
    return '[hidden]'
  }
}
