import { CoordinatorError } from '../../errors.ts'
import { type EncryptOptions, FILE_BYTES_MAX, type NewFile, type ReadFile } from './archive-format.ts'
import { damaged } from './damaged.ts'
import { decrypt, encrypt } from './encryption.ts'
import { type FileName, parseFileName, printFileName } from './file-name.ts'
import { FileText } from './file-text.ts'
import { packFrame, unpackFrame } from './zstd-frame.ts'

/** The name of a file before it is known whether it is encrypted. */
export type NewFileName = FileName extends infer Name
  ? Name extends FileName
    ? Omit<Name, 'encrypted'>
    : never
  : never

/**
 * Compresses a text, and encrypts it if there are recipients.
 *
 * @throws COORD_INTERNAL if the file would be larger than `FILE_BYTES_MAX`; COORD_CONFIG_INVALID if a recipient is none
 */
export async function packFile(
  name: NewFileName,
  text: Uint8Array,
  { recipients = [] }: EncryptOptions,
): Promise<NewFile> {
  const packed = await packFrame(text)
  const content = recipients.length === 0 ? packed : await encrypt(packed, recipients)
  const printed = printFileName({ ...name, encrypted: recipients.length > 0 } as FileName)
  if (content.length > FILE_BYTES_MAX)
    throw new CoordinatorError('COORD_INTERNAL', {
      detail: `${printed} would have ${content.length} bytes; ${FILE_BYTES_MAX} are the most.`,
    })
  return { name: printed, content }
}

/** A file whose bytes were all verified. */
export interface OpenedFile<Kind extends FileName['kind']> {
  readonly name: Extract<FileName, { kind: Kind }>
  readonly text: FileText
}

/**
 * Decrypts and unpacks a whole file, and verifies its sums before anything of it is used.
 *
 * @throws COORD_ARCHIVE_DAMAGED, COORD_ARCHIVE_NO_IDENTITY
 */
export async function openFile<Kind extends FileName['kind']>(
  kind: Kind,
  { name, content }: ReadFile,
  identities: readonly string[] = [],
): Promise<OpenedFile<Kind>> {
  const parsed = parseFileName(name)
  if (parsed?.kind !== kind) throw damaged(name, `It does not have the name of a ${kind} file.`)
  if (content.length > FILE_BYTES_MAX)
    throw damaged(name, `It has ${content.length} bytes; ${FILE_BYTES_MAX} are the most.`)
  const packed = parsed.encrypted ? await decrypt(name, content, identities) : content
  const text = await FileText.verify(name, await unpackFrame(name, packed))
  return { name: parsed as Extract<FileName, { kind: Kind }>, text }
}
