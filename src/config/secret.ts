import { inspect } from 'node:util'

/**
 * A key or password on its way from the environment to the driver. When it is printed, logged, concatenated or serialized, it shows
 * `[hidden]`. Only `reveal()` returns the text, which makes every use easy to find.
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
