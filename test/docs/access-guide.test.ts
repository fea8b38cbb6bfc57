import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, expect } from 'vitest'
import { plainEnv, type Serving, scratchFolder, serving } from '../main/coordinator-process.ts'
import { itWith } from '../support/it-with.ts'

const page = readFileSync('docs/access.md', 'utf8')

/** The commands (`sh`) and what they print (`text`), in the order of the page. */
const blocks = [...page.matchAll(/^```(sh|text)\n([\s\S]*?)^```$/gm)].map(([, language, text = '']) => ({
  language,
  text,
}))

/** What differs from one run to the next. */
function comparable(text: string): string {
  return text
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'URL')
    .replaceAll(/\(id [0-9A-Za-z]{12}\)/g, '(id ID)')
    .replaceAll(/^(\S+ +)[0-9A-Za-z]{12}( +(?:active|revoked) )/gm, '$1ID$2')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/cli%3A\S+/g, 'cli%3AUSER')
    .replaceAll(/up \d+ s$/gm, 'up for a while')
    .replaceAll(/ {2,}/g, '  ')
    .trim()
}

/** Runs a block of commands. Standard error is part of the output, in the order of a terminal. */
function run(script: string, cwd: string, url: string): Promise<{ code: number; output: string }> {
  const program = `'${process.execPath}' '${resolve('bin/coordinator.js')}'`
  const text = script.replaceAll(/https?:\/\/127\.0\.0\.1:3000/g, url).replaceAll('npx coordinator', program)
  return new Promise((done) => {
    const env = plainEnv({ COORDINATOR_URL: url })
    execFile('bash', ['-c', `exec 2>&1\n${text}`], { cwd, env }, (error, stdout) =>
      done({ code: error === null ? 0 : Number(error.code), output: stdout }),
    )
  })
}

/** The settings in front of `npx coordinator serve`. */
function settingsOf(command: string): Record<string, string> {
  return Object.fromEntries([...command.matchAll(/(\w+)=(\S+) /g)].map(([, name, value]) => [name, value]))
}

describe('docs/access.md', () => {
  itWith('bash', 'curl', 'openssl')(
    'has commands that work, one after the other, and print what it shows',
    async () => {
      await using folder = await scratchFolder()
      // The services of the reader.
      await copyFile('examples/data/online-boutique.json', `${folder.path}/services.json`)
      let running: Serving | undefined
      let last = { code: 0, output: '' }
      try {
        expect(blocks.length).toBeGreaterThan(12)
        for (const [at, { language, text }] of blocks.entries()) {
          if (language === 'text') {
            expect(comparable(last.output)).toBe(comparable(text))
          } else if (/npx coordinator serve$/m.test(text)) {
            await running?.stop()
            running = await serving({ cwd: folder.path, env: settingsOf(text) })
          } else {
            last = await run(text, folder.path, running?.url ?? '')
            // A command whose output is shown may end with an error: the page shows that, too.
            if (blocks[at + 1]?.language !== 'text')
              expect([last.code, last.output]).toEqual([0, last.output])
          }
        }
      } finally {
        await running?.[Symbol.asyncDispose]()
      }
    },
    180_000,
  )
})
