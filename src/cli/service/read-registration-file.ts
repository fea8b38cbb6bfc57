import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { CoordinatorError } from '../../errors.ts'
import { isJsonObject, type JsonObject } from '../../records/canonical-json.ts'
import { withoutAnswerFields } from '../import/item.ts'

/** A registration of the largest size has about a megabyte. */
const largestBytes = 4 * 1024 * 1024

/**
 * Reads one registration, or one service as `coordinator get` shows it, as JSON or YAML.
 *
 * @param path a file, or `-` for `stdin`
 * @throws COORD_CLI_FILE
 */
export async function readRegistrationFile(path: string, stdin: NodeJS.ReadableStream): Promise<JsonObject> {
  const name = path === '-' ? 'standard input' : path
  const text = await readText(path, { name, stdin })
  const value = withoutAnswerFields(parseText(text, name))
  if (Array.isArray(value)) throw unusable(`${name} is a list.`, 'Register a list with `coordinator import`.')
  if (!isJsonObject(value)) throw unusable(`${name} has no registration in it.`)
  return value
}

async function readText(
  path: string,
  { name, stdin }: { readonly name: string; readonly stdin: NodeJS.ReadableStream },
): Promise<string> {
  if (path !== '-')
    try {
      return await readFile(path, 'utf8')
    } catch (thrown) {
      const { code, message } = thrown as NodeJS.ErrnoException
      throw unusable(`${name} cannot be read (${code ?? message}).`)
    }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk))
    size += chunks.at(-1)?.length ?? 0
    if (size > largestBytes) throw unusable(`${name} is too large for one registration.`)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** JSON is read as JSON: a reader of YAML would take more texts, and lose the digits of large numbers. */
function parseText(text: string, name: string): unknown {
  const trimmed = text.replace(/^\ufeff/, '').trim()
  if (trimmed === '') throw unusable(`${name} is empty.`)
  try {
    return /^[[{]/.test(trimmed) ? JSON.parse(trimmed) : parse(trimmed)
  } catch (thrown) {
    const [reason] = String((thrown as Error).message).split('\n')
    throw unusable(`${name} is neither JSON nor YAML: ${reason}`)
  }
}

function unusable(detail: string, hint?: string): CoordinatorError {
  return new CoordinatorError('COORD_CLI_FILE', { detail, ...(hint === undefined ? {} : { hint }) })
}
