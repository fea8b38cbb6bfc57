import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const words = [
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
  'twenty',
  'twenty-one',
  'twenty-two',
]

it('docs/supabase-setup.md names the number of functions that the Data API calls', () => {
  const sql = readFileSync('src/database/migrations/postgres/0012-copying.sql', 'utf8')
  const [, called = ''] = /foreach called in array array\[([^\]]+)\]/.exec(sql) ?? []
  const count = called.match(/'\w+'/g)?.length ?? 0
  expect(count).toBeGreaterThanOrEqual(10)
  expect(readFileSync('docs/supabase-setup.md', 'utf8')).toContain(
    `${words[count - 10]} functions \`public.coordinator_*\``,
  )
})
