import { DEFAULT_NAMESPACE } from '../../records/service/namespace.ts'
import { covers, parseScope, type RegisterPattern, type Scope } from './scope.ts'

/** What a caller may do. */
export class Grants {
  static readonly NONE = new Grants([])
  static readonly READ = new Grants(['read'])
  static readonly METRICS = new Grants(['metrics'])
  static readonly ALL = new Grants(['admin'])

  /** The texts of the scopes, as they were given. */
  readonly texts: readonly string[]
  readonly #plain: ReadonlySet<Scope>
  readonly #patterns: readonly RegisterPattern[]

  /** @param texts scopes; a text that is not a scope grants nothing */
  constructor(texts: readonly string[]) {
    const parsed = texts.map(parseScope)
    this.texts = texts
    this.#plain = new Set(parsed.filter((scope) => typeof scope === 'string'))
    this.#patterns = parsed.filter((scope) => typeof scope === 'object')
  }

  /**
   * Whether the caller may use routes that demand this scope. For `register`, it is enough that there is a service that the caller may
   * register: `mayRegister` judges each one.
   */
  may(scope: Scope): boolean {
    if (this.#plain.has('admin')) return true
    return scope === 'register' ? this.#patterns.length > 0 : this.#plain.has(scope)
  }

  /** Whether the caller may register, change and deregister services of this name. */
  mayRegister(serviceName: string, namespace = DEFAULT_NAMESPACE): boolean {
    if (this.#plain.has('admin')) return true
    return this.#patterns.some(
      (pattern) => covers(pattern.namespace, namespace) && covers(pattern.name, serviceName),
    )
  }
}
