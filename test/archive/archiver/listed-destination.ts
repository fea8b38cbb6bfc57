import type { ArchivedFile, Destination } from '../../../src/archive/destination/destination.ts'
import { type FileName, printFileName } from '../../../src/archive/format/file-name.ts'

/** A destination of which only the list matters: its files have a name, a size and a time, and no content. */
export class ListedDestination implements Destination {
  readonly shownUrl = 'memory:'
  readonly files = new Map<string, ArchivedFile>()

  add(name: FileName, writtenAt: number, bytes = 100): string {
    const printed = printFileName(name)
    this.files.set(printed, { name: printed, bytes, writtenAt })
    return printed
  }

  copy(): ListedDestination {
    const copy = new ListedDestination()
    for (const [name, file] of this.files) copy.files.set(name, file)
    return copy
  }

  async *list(prefix: string): AsyncGenerator<ArchivedFile> {
    const names = [...this.files.keys()].filter((name) => name.startsWith(prefix)).sort()
    for (const name of names) yield this.files.get(name) as ArchivedFile
  }

  async read(): Promise<never> {
    throw new Error('Only the names of files may be needed.')
  }

  async write(): Promise<never> {
    throw new Error('Nothing may be written.')
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name)
  }

  async close(): Promise<void> {}
}
