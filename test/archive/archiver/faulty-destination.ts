import type { ArchivedFile, Destination } from '../../../src/archive/destination/destination.ts'
import { CoordinatorError, type ErrorCode } from '../../../src/errors.ts'

export type DestinationCall = 'list' | 'read' | 'write' | 'remove'

/** What happens to calls instead of what the destination does. */
export type DestinationFault =
  | { readonly does: 'fail'; readonly code: ErrorCode }
  /** Never answers, and does nothing, until `heal`. */
  | { readonly does: 'hang' }
  /** Does it, and says that it failed. */
  | { readonly does: 'lose reply' }

/** Another destination, whose calls fail or hang as a test wants. */
export class FaultyDestination implements Destination {
  readonly inner: Destination
  readonly calls: { readonly call: DestinationCall; readonly name: string }[] = []
  fault: DestinationFault | undefined
  /** The calls that the fault is for. */
  faulty: readonly DestinationCall[] = ['list', 'read', 'write', 'remove']
  closed = false
  #healed = Promise.withResolvers<void>()

  constructor(inner: Destination) {
    this.inner = inner
  }

  get shownUrl(): string {
    return this.inner.shownUrl
  }

  /** The names of the files that were written, or tried to be. */
  get written(): readonly string[] {
    return this.calls.flatMap(({ call, name }) => (call === 'write' ? name : []))
  }

  heal(): void {
    this.fault = undefined
    this.#healed.resolve()
    this.#healed = Promise.withResolvers()
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ArchivedFile> {
    const files: ArchivedFile[] = []
    await this.#call('list', prefix, async () => {
      for await (const file of this.inner.list(prefix, signal)) files.push(file)
    })
    yield* files
  }

  read(name: string, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#call('read', name, () => this.inner.read(name, signal))
  }

  write(name: string, content: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.#call('write', name, () => this.inner.write(name, content, signal))
  }

  remove(name: string, signal?: AbortSignal): Promise<void> {
    return this.#call('remove', name, () => this.inner.remove(name, signal))
  }

  async close(): Promise<void> {
    this.closed = true
    this.heal()
    await this.inner.close()
  }

  async #call<T>(call: DestinationCall, name: string, run: () => Promise<T>): Promise<T> {
    this.calls.push({ call, name })
    const fault = this.faulty.includes(call) ? this.fault : undefined
    if (fault?.does === 'fail') throw new CoordinatorError(fault.code)
    if (fault?.does === 'hang') {
      await this.#healed.promise
      throw new CoordinatorError('COORD_ARCHIVE_UNREACHABLE', { detail: 'It did not answer in time.' })
    }
    const result = await run()
    if (fault?.does === 'lose reply') throw new CoordinatorError('COORD_ARCHIVE_UNREACHABLE')
    return result
  }
}
