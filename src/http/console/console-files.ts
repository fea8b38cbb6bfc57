import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { SharedBytes } from '../sending/body-part.ts'

/** A file of the console, as it is sent. */
export interface ConsoleFile {
  /** Of all answers that send the file at the same time. */
  readonly bytes: SharedBytes
  readonly contentType: string
  readonly isCompressed: boolean
}

/** Its page, made for one depth of its address. */
export interface ConsolePage {
  readonly html: string
  readonly etag: string
}

const contentTypes: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** The names that the build makes. A name with a slash, or with dots only, is none. */
const nameForm = /^[\w-]+(?:\.[\w-]+)*\.(?:js|css|svg|txt)$/

/** Where the build is: the sources of a checkout and the built code of the package are at different depths. */
const builtFolder = join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../../dist/console' : '../../../console',
)

/**
 * The built console on disk. An idle coordinator keeps none of its files. But requests at the same time share one read of a file, and its
 * bytes: thousands of them would otherwise need as many open files, and as many copies. A console that is built again is served at once, and
 * whole, because the names of its files change with their content.
 */
export class ConsoleFiles {
  readonly #folder: string
  readonly #reads = new Map<string, Promise<SharedBytes | undefined>>()
  /** Files of which answers still hold the bytes, by path. */
  readonly #held = new Map<string, WeakRef<SharedBytes>>()

  /** @param folder where its index.html is. @default the build of this program */
  constructor(folder: string = builtFolder) {
    this.#folder = folder
  }

  /**
   * The page, which is the same for every path.
   *
   * @param up the relative URL from the address of the page to the folder of the console, such as `../`
   * @returns `undefined` if the console is not built
   */
  async page(up: string): Promise<ConsolePage | undefined> {
    const built = await this.#read(join(this.#folder, 'index.html'))
    if (built === undefined) return undefined
    const html = built.bytes.toString().replaceAll('="./', `="${up}`)
    return { html, etag: `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"` }
  }

  /**
   * A script, style or picture.
   *
   * @param name as a client wrote it
   * @param takesGzip whether the client reads gzip
   * @returns `undefined` if there is none with this name
   */
  async file(
    folder: '' | 'assets',
    name: string,
    { takesGzip }: { readonly takesGzip: boolean },
  ): Promise<ConsoleFile | undefined> {
    if (!nameForm.test(name)) return undefined
    const path = join(this.#folder, folder, name)
    const contentType = contentTypes[extname(name)] as string
    const read = (wanted: string) => (folder === 'assets' ? this.#readHeld(wanted) : this.#read(wanted))
    const compressed = takesGzip ? await read(`${path}.gz`) : undefined
    if (compressed !== undefined) return { bytes: compressed, contentType, isCompressed: true }
    const bytes = await read(path)
    return bytes === undefined ? undefined : { bytes, contentType, isCompressed: false }
  }

  /** A file whose name changes with its content. */
  async #readHeld(path: string): Promise<SharedBytes | undefined> {
    const held = this.#held.get(path)?.deref()
    if (held !== undefined) return held
    const read = await this.#read(path)
    if (read === undefined) this.#held.delete(path)
    else this.#held.set(path, new WeakRef(read))
    return read
  }

  /** Reads a file once for everybody who wants it now. */
  #read(path: string): Promise<SharedBytes | undefined> {
    const known = this.#reads.get(path)
    if (known !== undefined) return known
    const read = readIfPresent(path).finally(() => this.#reads.delete(path))
    this.#reads.set(path, read)
    return read
  }
}

async function readIfPresent(path: string): Promise<SharedBytes | undefined> {
  try {
    return new SharedBytes(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
