import { memoryBackend } from '../support/backends/memory.ts'
import { postgresBackend } from '../support/backends/postgres.ts'
import { sqliteBackend } from '../support/backends/sqlite.ts'
import { supabaseBackend } from '../support/backends/supabase.ts'
import { movedHistories } from './moved-histories.ts'

const all = [memoryBackend, sqliteBackend, postgresBackend(18), supabaseBackend()]

for (const from of all) for (const into of all) movedHistories({ from, into }, 3)
