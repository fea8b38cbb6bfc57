import type { StoreMode } from '../store.ts'
import { type Finding, flaw } from './finding.ts'

/** Judges whether the mode of a store lets a coordinator write. */
export function judgeMode(mode: Exclude<StoreMode, 'open'>): Finding {
  switch (mode) {
    case 'seeding':
      return flaw('writing', 'problem', {
        found: 'The database is being filled, and serves nothing yet (mode seeding).',
        repair:
          'Run the `coordinator restore` or `coordinator copy` again that fills it: it continues where it was.',
      })
    case 'copy':
      return flaw('writing', 'warning', {
        found: 'The database is a copy of another one, and takes no writes (mode copy).',
        repair: 'Run `coordinator cutover` when it is to take the place of the other one.',
      })
    case 'frozen':
      return flaw('writing', 'problem', {
        found: 'The database takes no writes, because another one takes its place (mode frozen).',
        repair:
          'Give the coordinators the other database in DATABASE_URL. To keep this one, run `coordinator cutover --abort`.',
      })
  }
}
