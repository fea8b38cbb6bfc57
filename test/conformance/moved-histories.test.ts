import { memoryBackend } from '../support/backends/memory.ts'
import { postgresBackend } from '../support/backends/postgres.ts'
import { sqliteBackend } from '../support/backends/sqlite.ts'
import { supabaseBackend } from '../support/backends/supabase.ts'
import { movedHistories } from './moved-histories.ts'

const each = [memoryBackend, sqliteBackend, postgresBackend(18), supabaseBackend()]

for (const from of each) for (const into of each) movedHistories({ from, into }, 2)
