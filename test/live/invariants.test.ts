import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** What the live layer promises. Every test of it names the promise that it keeps. */
const invariants = {
  L1: 'The status says what is: memory, connecting, loading, ready, degraded; recovery needs no restart.',
  L2: 'Before the first load every question is answered COORD_NOT_LOADED, and nothing is written.',
  L3: 'Reads of the present go on while the database is gone, and say how old they are.',
  L4: 'Reads of the past need the store: without it they fail, and never answer something else.',
  L5: 'A commit is answered when the view has it.',
  L6: 'One batch is under way at a time; what comes meanwhile goes with the next one, within its limits.',
  L7: 'A batch without an answer is sent again under the same ids, and gives one result.',
  L8: 'What has no answer by its deadline fails with 503; not_written is said only where that is certain.',
  L9: 'A full queue refuses at once, and loses nothing that it took.',
  L10: 'A batch that is refused as a whole is halved until the culprit alone fails.',
  L11: 'In an outage one question of a kind is asked at a time; writes that have failed too long fail at once.',
  L12: 'Every coordinator takes in every entry once, in order, whoever made it.',
  L13: 'Waiting for a revision ends when the view has it, or in time.',
  L14: 'Catching up brings everything that was committed before, or fails.',
  L15: 'A view that stands still while the store goes on is built anew.',
  L16: 'A history that contradicts the view gets exactly one new lineage, and everybody serves it.',
  L17: 'Late answers of another history change nothing, and acknowledge nothing.',
  L18: 'A load gives one moment, whatever happens between its pages.',
  L19: 'While a view is built anew the old one serves, marked as stale.',
  L20: 'Within a lineage the view never goes back.',
  L21: 'A record that breaks the rules of its kind is listed, not served, and heals with the next good write.',
  L22: 'The view changes only by the next entry; projections hear each change once.',
  L23: 'History is forgotten only where no rule keeps it; the floor only rises.',
  L24: 'Stopping is bounded, answers everything, and loses nothing that was acknowledged.',
  L25: 'A computed change is never built on what others have changed since.',
  L26: 'What does not fit into memory is refused as not written; what needs none goes on.',
  L27: 'A view takes nothing that does not fit; it says so, and goes on when there is room again.',
  L28: 'A load that does not fit says what it needs, and drops the old view before it gives up.',
  L29: 'No history takes the place of the served one but what descends from it, or an older backup of it; one without entries may be replaced.',
  L30: 'A frozen store is served; it takes no new write, and its history stays. The first write after it opens is taken.',
  L31: 'A copy is served and followed, takes no write, lets nobody expire, and is never forked by those who serve it.',
  L32: 'A store that is being filled is not loaded before it is whole.',
} as const

const titles = globSync('test/live/*.test.ts')
  .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/['`](L\d+): /g)])
  .map((match) => match[1])

describe('invariants of the live layer', () => {
  it.each(Object.entries(invariants))('%s has a test: %s', (number) => {
    expect(titles).toContain(number)
  })

  it('no test keeps a promise that is not in the table', () => {
    expect(titles.filter((number) => number === undefined || !(number in invariants))).toEqual([])
  })
})
