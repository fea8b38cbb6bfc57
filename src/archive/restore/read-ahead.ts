/** How many files are read at the same time: a network answers each of many small files slowly. */
const FILES_AHEAD = 16
/** How many bytes of files may be read ahead, besides the next one. */
const BYTES_AHEAD = 4_194_304

/**
 * Reads files in order, and several of them ahead of the caller, so that the next ones are read while the caller works on one.
 *
 * @param bytesOf the size of a file
 * @throws what reading a file throws, when it is the turn of that file
 */
export async function* readAhead<File, Value>(
  files: readonly File[],
  {
    read,
    bytesOf,
  }: { readonly read: (file: File) => Promise<Value>; readonly bytesOf: (file: File) => number },
): AsyncGenerator<Value> {
  const ahead: { readonly value: Promise<Value>; readonly bytes: number }[] = []
  let [next, bytes] = [0, 0]
  const readMore = () => {
    for (; next < files.length && ahead.length < FILES_AHEAD; next += 1) {
      const file = files[next] as File
      const size = bytesOf(file)
      if (ahead.length > 0 && bytes + size > BYTES_AHEAD) return
      const value = read(file)
      // It is thrown when it is the turn of this file.
      value.catch(() => undefined)
      ahead.push({ value, bytes: size })
      bytes += size
    }
  }
  try {
    for (readMore(); ahead.length > 0; readMore()) {
      const first = ahead.shift() as (typeof ahead)[number]
      bytes -= first.bytes
      const value = await first.value
      readMore()
      yield value
    }
  } finally {
    // A caller that stops early may close what is read from, and needs neither these files nor their failures.
    await Promise.allSettled(ahead.map(({ value }) => value))
  }
}
