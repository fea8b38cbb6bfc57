/** A file in a destination. */
export interface ArchivedFile {
  /** Its path below the prefix, with `/` between the parts. */
  readonly name: string
  /** Its size in bytes. */
  readonly bytes: number
  /** When it was written, by the clock of the destination. Epoch milliseconds. */
  readonly writtenAt: number
}

/**
 * A place for the files of an archive: a folder, or a bucket of S3. Files are at most 16 MiB, written whole, and never changed. Every method
 * makes one attempt under a deadline; the caller retries.
 *
 * Every method throws COORD_ARCHIVE_UNREACHABLE, COORD_ARCHIVE_REFUSED or COORD_ARCHIVE_FULL, without keys in any text.
 */
export interface Destination {
  /** The URL as people may see it, without credentials. */
  readonly shownUrl: string
  /** Every file whose name begins with the text, in order of the names. Unfinished files are never listed. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ArchivedFile>
  /** @throws COORD_ARCHIVE_DAMAGED if there is no such file, or it is larger than 16 MiB */
  read(name: string, signal?: AbortSignal): Promise<Uint8Array>
  /** Durable when it resolves; afterwards the file is there whole, or not at all. A file that is there already with the same size stays. */
  write(name: string, content: Uint8Array, signal?: AbortSignal): Promise<void>
  /** Removing a file that does not exist changes nothing. */
  remove(name: string, signal?: AbortSignal): Promise<void>
  /** Ends what it holds open. */
  close(): Promise<void>
}
