import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SupabaseStore } from '../../src/database/supabase/store.ts'
import { ERRORS } from '../../src/errors.ts'
import { runCoordinator } from '../main/coordinator-process.ts'
import { SupabaseProject } from '../support/supabase.ts'
import { answers } from './answer-cases.ts'

const guide = readFileSync('docs/supabase-setup.md', 'utf8')
const codes = [...guide.matchAll(/^\| `(COORD_\w+)` \|/gm)].map(([, code]) => code ?? '')
const ending = guide.slice(guide.indexOf('exit code 78'), guide.indexOf('is `connecting` or'))

describe('docs/supabase-setup.md', () => {
  it('explains every code that the Data API and the network can lead to', () => {
    const met = new Set(answers.map(([, , { code }]) => code))
    for (const code of [
      ...met,
      'COORD_STORE_DNS',
      'COORD_STORE_REFUSED',
      'COORD_STORE_TLS',
      'COORD_STORE_ANON',
    ])
      expect(codes).toContain(code)
  })

  it.each(codes)('says of %s truly whether it ends the start', (code) => {
    expect(Object.keys(ERRORS)).toContain(code)
    const { retryable } = ERRORS[code as keyof typeof ERRORS]
    // A schema that is too new stops the writing of a coordinator, not the start.
    expect(ending.includes(`\`${code}\``)).toBe(!retryable && code !== 'COORD_SCHEMA_NEWER')
  })

  it('leads to a project that works: what `--emit supabase` prints can be pasted into the SQL editor', async () => {
    const { code, stdout } = await runCoordinator(['migrate', '--emit', 'supabase'])
    expect(code).toBe(0)
    await using project = await SupabaseProject.start({ schemas: [], prepare: stdout })
    const store = new SupabaseStore(project.options())
    expect((await store.open()).position.revision).toBe(0)
    expect(await store.migrator.verify()).toEqual([])
    const { current, target, steps } = await store.migrator.migrate()
    expect(current).toBe(target)
    expect(new Set(steps.map(({ state }) => state))).toEqual(new Set(['applied']))
    await store.close()
  })
})
