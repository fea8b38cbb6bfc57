import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'

/** A file of the console, as it is sent. */
export interface ConsoleFile {
  readonly bytes: Buffer
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
 * The built console on disk. Files are read for each request, and not kept: browsers keep them, and an idle coordinator should not. A
 * console that is built again is served at once, and whole.
 */
export class ConsoleFiles {
  readonly #folder: string

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
    const built = await readIfPresent(join(this.#folder, 'index.html'))
    if (built === undefined) return undefined
    const html = built.toString().replaceAll('="./', `="${up}`)
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
    const compressed = takesGzip ? await readIfPresent(`${path}.gz`) : undefined
    if (compressed !== undefined) return { bytes: compressed, contentType, isCompressed: true }
    const bytes = await readIfPresent(path)
    return bytes === undefined ? undefined : { bytes, contentType, isCompressed: false }
  }
}

async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
