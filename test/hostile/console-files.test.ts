import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConsoleFiles } from '../../src/http/console/console-files.ts'

describe('files of the console that many ask for at once', () => {
  it('are read once and are in memory once, also for those who read slowly', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'console-'))
    try {
      await mkdir(join(folder, 'assets'))
      await writeFile(join(folder, 'assets', 'large.js'), 'x'.repeat(200_000))
      const files = new ConsoleFiles(folder)
      const ask = () => files.file('assets', 'large.js', { takesGzip: false })
      // More than a process may have open at the same time.
      const found = await Promise.all(Array.from({ length: 30_000 }, ask))
      const later = await ask()
      expect(new Set([...found, later].map((file) => file?.bytes)).size).toBe(1)
      expect(later?.bytes.bytes.length).toBe(200_000)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
