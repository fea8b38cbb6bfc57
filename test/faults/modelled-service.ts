import { serviceIdOf } from '../../src/records/service/identity.ts'

/** What a write makes of a service. */
export type Wish = 'put' | 'delete'

/**
 * What one service may look like to readers. One client writes it, one write after the other; each has a number, which the
 * service carries in its metadata, so that a reader sees which write it looks at.
 */
export class ModelledService {
  readonly serviceId: string
  /** The tag that all services of one client have. */
  readonly owner: string
  readonly #base: { readonly serviceName: string; readonly version: string; readonly endpoint: string }
  /** By number. Before the first one it is not there, as after a deletion. */
  readonly #wishes: Wish[] = ['delete']
  #acknowledged = 0
  #seen = 0

  constructor(owner: string, name: string) {
    this.owner = owner
    this.#base = { serviceName: name, version: '1.0.0', endpoint: `http://${name}:8080` }
    this.serviceId = serviceIdOf(this.#base)
  }

  /** Number of the newest write that was sent. */
  get sent(): number {
    return this.#wishes.length - 1
  }

  /** Whether it is there after all that was sent. */
  get present(): boolean {
    return this.#wishes.at(-1) === 'put'
  }

  /** No read that begins now may show less than this. */
  get floor(): number {
    return Math.max(this.#acknowledged, this.#seen)
  }

  /** Notes a write that is about to be sent, and answers its number. */
  begin(wish: Wish): number {
    return this.#wishes.push(wish) - 1
  }

  acknowledge(step: number): void {
    this.#acknowledged = step
  }

  registration(step: number): Record<string, unknown> {
    return { ...this.#base, tags: [this.owner], metadata: { step } }
  }

  /**
   * Judges what a read has shown, which began at a floor. Answers what is wrong with it.
   *
   * @param step number of the write that it shows, `undefined` where the service was not there
   */
  judge(step: number | undefined, floor: number): string | undefined {
    const possible = this.#wishes.slice(floor)
    if (step === undefined) {
      if (possible.includes('delete')) return undefined
      return `${this.serviceId} is missing; ${floor} was acknowledged or seen before, ${this.sent} sent`
    }
    if (step < floor || this.#wishes[step] !== 'put')
      return `${this.serviceId} shows ${step}; ${floor} was acknowledged or seen before, ${this.sent} sent`
    this.#seen = Math.max(this.#seen, step)
    return undefined
  }
}
