import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { decrypt, encrypt } from '../../../src/archive/format/encryption.ts'
import { parseIdentities, readIdentityFile } from '../../../src/archive/format/identities.ts'
import { readLog } from '../../../src/archive/format/read-log.ts'
import { verifyStructure } from '../../../src/archive/format/verify-structure.ts'
import { writeLog } from '../../../src/archive/format/write-log.ts'
import { newLineage, sampleLog } from '../../support/archive-samples.ts'

describe('an encrypted archive', () => {
  test('is read by each of its recipients, and by nobody else', async () => {
    const [one, other, stranger] = [
      await generateIdentity(),
      await generateHybridIdentity(),
      await generateIdentity(),
    ]
    const recipients = [await identityToRecipient(one), await identityToRecipient(other)]
    const page = sampleLog(newLineage(), 20)
    const file = await writeLog(page, { recipients })

    expect(file.name).toMatch(/\.ndjson\.zst\.age$/)
    expect(await readLog(file, [one])).toEqual(page)
    expect(await readLog(file, [stranger, other])).toEqual(page)
    for (const identities of [[stranger], []])
      await expect(readLog(file, identities)).rejects.toMatchObject({ code: 'COORD_ARCHIVE_NO_IDENTITY' })
  })

  test('shows no name, no actor and no data, and errors hold no key', async () => {
    const identity = await generateIdentity()
    const page = sampleLog(newLineage(), 20)
    const file = await writeLog(page, { recipients: [await identityToRecipient(identity)] })
    const text = Buffer.from(file.content).toString('latin1')
    for (const plain of ['service-', 'http:127.0.0.1', 'tags', page.entries[0]?.commitId ?? ''])
      expect(text).not.toContain(plain)

    const cut = { ...file, content: file.content.subarray(0, -1) }
    const error = await readLog(cut, [identity]).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'COORD_ARCHIVE_DAMAGED' })
    expect(JSON.stringify([error.message, error.stack, error.options])).not.toContain(identity.slice(0, 20))
  })

  test('gives out nothing of a file whose last piece is damaged', async () => {
    const identity = await generateIdentity()
    const plain = randomBytes(300_000)
    const bytes = await encrypt(plain, [await identityToRecipient(identity)])
    expect(plain.equals(await decrypt('whole', bytes, [identity]))).toBe(true)

    const damaged = Uint8Array.from(bytes)
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1
    await expect(decrypt('damaged', damaged, [identity])).rejects.toMatchObject({
      code: 'COORD_ARCHIVE_DAMAGED',
    })
  })

  test('is refused for a recipient that is none, without its text: it may be an identity', async () => {
    const identity = await generateIdentity()
    const good = await identityToRecipient(identity)
    for (const wrong of [identity, 'age1canary', `${good}x`, 'ssh-ed25519 AAAA']) {
      const error = await encrypt(new Uint8Array(1), [good, wrong]).catch((thrown) => thrown)
      expect(error).toMatchObject({
        code: 'COORD_CONFIG_INVALID',
        detail: expect.stringContaining('Recipient 2'),
      })
      expect(JSON.stringify([error.message, error.stack, error.options])).not.toContain(wrong.slice(0, 10))
    }
  })

  test('has a structure that is checked without an identity', async () => {
    const recipients = [await identityToRecipient(await generateIdentity())]
    const file = await writeLog(sampleLog(newLineage(), 20), { recipients })
    verifyStructure(file)

    const damaged = { code: 'COORD_ARCHIVE_DAMAGED' }
    const cases = [
      { ...file, content: file.content.subarray(0, 100) },
      { ...file, content: file.content.subarray(1) },
      { ...file, content: new Uint8Array() },
      { ...file, content: file.content.subarray(0, Buffer.from(file.content).indexOf('\n--- ') + 49 + 20) },
      { ...file, name: file.name.replace('.age', '') },
    ]
    for (const [index, changed] of cases.entries())
      expect(() => verifyStructure(changed), `case ${index}`).toThrow(expect.objectContaining(damaged))
  })
})

describe('a file with identities', () => {
  test('may have several, comments and empty lines', async () => {
    const [one, other] = [await generateIdentity(), await generateHybridIdentity()]
    const text = `# created: 2026-01-31\n# public key: age1...\n${one}\r\n\n  ${other}\n`

    expect(parseIdentities(text)).toEqual([one, other])
  })

  test.each([
    ['nothing but comments', '# public key: age1...\n', 'without an identity'],
    ['a recipient', 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p', 'line 1'],
    ['a damaged identity', '# one\nAGE-SECRET-KEY-1CANARY', 'line 2'],
    ['a plugin', 'AGE-PLUGIN-YUBIKEY-1CANARY', 'line 1'],
    ['an encrypted identity', '-----BEGIN AGE ENCRYPTED FILE-----\nCANARY', 'itself encrypted'],
  ])('that has %s is refused without its content', (_, text, expected) => {
    const error = refusal(() => parseIdentities(text))
    expect(error).toMatchObject({ code: 'COORD_CONFIG_INVALID', detail: expect.stringContaining(expected) })
    expect(JSON.stringify([error.message, error.stack])).not.toContain('CANARY')
  })

  test('that does not exist is refused without its path', () => {
    const error = refusal(() => readIdentityFile(join('no', 'canary', 'file')))
    expect(error).toMatchObject({ code: 'COORD_CONFIG_INVALID', detail: expect.stringContaining('ENOENT') })
    expect(error.message).not.toContain('canary')
  })
})

function refusal(call: () => unknown): Error {
  try {
    call()
  } catch (error) {
    return error as Error
  }
  return expect.fail('it was accepted')
}
