import type { ArchivedFile, Destination } from '../../src/archive/destination/destination.ts'
import type { NewFile } from '../../src/archive/format/archive-format.ts'
import { damaged } from '../../src/archive/format/damaged.ts'

/** An archive in memory, for tests of what reads one. */
export class MemoryDestination implements Destination {
  readonly shownUrl = 'memory:'
  readonly contents = new Map<string, Uint8Array>()
  /** The names of the files that were read, in order. */
  readonly reads: string[] = []

  put(...files: readonly NewFile[]): void {
    for (const { name, content } of files) this.contents.set(name, content)
  }

  async *list(prefix: string): AsyncGenerator<ArchivedFile> {
    for (const name of [...this.contents.keys()].sort())
      if (name.startsWith(prefix)) yield { name, bytes: this.contents.get(name)?.length ?? 0, writtenAt: 0 }
  }

  async read(name: string): Promise<Uint8Array> {
    this.reads.push(name)
    const content = this.contents.get(name)
    if (content === undefined) throw damaged(name, 'There is no such file.')
    return content
  }

  async write(name: string, content: Uint8Array): Promise<void> {
    this.contents.set(name, content)
  }

  async remove(name: string): Promise<void> {
    this.contents.delete(name)
  }

  async close(): Promise<void> {}
}
