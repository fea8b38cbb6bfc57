import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { MemoryStore } from '../../../src/database/memory/store.ts'
import { SqliteStore } from '../../../src/database/sqlite/store.ts'
import type { Head } from '../../../src/database/store.ts'
import { type CanonicalJson, canonicalJson } from '../../../src/records/canonical-json.ts'
import type { Commit, Revision, Write } from '../../../src/records/record.ts'
import { FaultyStore } from '../../support/faulty-store.ts'
import {
  ArchivedCoordinator,
  type ArchivingCoordinator,
  type ArchivingOptions,
  entriesAfter,
} from './archived-coordinator.ts'
import { Oracle } from './oracle.ts'
import type { Random } from './random.ts'
import { type ArchivingProcess, Killed, runArchiving } from './run-archiving.ts'

export interface HistoryOptions {
  readonly random: Random
  readonly backend: 'memory' | 'sqlite'
  /** A folder for the database and the archive. */
  readonly folder: string
  readonly recipients: readonly string[]
}

/** A copy of the files of a database, as a backup of the whole machine has one. */
interface SavedFile {
  readonly path: string
  readonly lineage: string
  readonly revision: Revision
  readonly tokens: ReadonlyMap<string, boolean>
}

/** A database that lives through a random history while it is archived, and the oracle that knows all of it. */
export class RandomHistory {
  readonly archive: string
  /** What happened, for people. */
  readonly told: string[] = []
  /** Tokens by name, and whether they were revoked. */
  tokens = new Map<string, boolean>()
  compactions = 0
  readonly #options: HistoryOptions
  readonly #archiving: ArchivingOptions
  readonly #file: string
  #shiftMs = 0
  readonly #store = new MemoryStore({ now: () => Date.now() + this.#shiftMs })
  readonly #sent: Commit[] = []
  readonly #acknowledged = new Map<string, { readonly revision: Revision; readonly lineage: string }>()
  #coordinator: (ArchivingCoordinator & Partial<ArchivingProcess>) | ArchivedCoordinator
  #oracle: Oracle | undefined
  #saved: SavedFile | undefined

  constructor(options: HistoryOptions) {
    const { random, folder, recipients } = options
    this.#options = options
    this.archive = join(folder, 'archive')
    this.#file = join(folder, 'coordinator.db')
    this.#archiving = {
      archive: this.archive,
      intervalMs: random.between(3, 40),
      speed: random.between(5_000, 100_000),
      since: Date.now(),
      baseHours: random.between(1, 8),
      recipients,
    }
    this.#coordinator = this.#made(false)
  }

  get oracle(): Oracle {
    if (this.#oracle === undefined) throw new Error('The history has not begun.')
    return this.#oracle
  }

  /** Takes so many random steps. Afterwards everything is archived, and the database is closed. */
  async live(steps: number): Promise<void> {
    const head = await this.#coordinator.start()
    this.#oracle = new Oracle(head.position.lineage)
    for (let step = 0; step < steps; step += 1) await this.#step()
    await this.#finish()
    this.told.push(`ends at ${this.oracle.positionOf(this.oracle.lineage).revision}`)
  }

  async #step(): Promise<void> {
    const { random, backend } = this.#options
    const what = random.weighted({
      ...{
        commit: 12,
        pause: 4,
        fork: 1.2,
        compact: 1.5,
        token: 1,
        clock: 1,
        disturb: 1.5,
        restart: 1,
        kill: 2,
      },
      back: backend === 'sqlite' && this.#saved !== undefined ? 1.5 : 0,
    })
    if (what !== 'commit' && what !== 'pause') this.told.push(what)
    if (what === 'commit') await this.#commit()
    else if (what === 'pause') await pause(random.between(0, 60))
    else if (what === 'fork') await this.#fork()
    else if (what === 'compact') await this.#compact()
    else if (what === 'token') await this.#changeTokens()
    // For SQLite, from the next start on.
    else if (what === 'clock') this.#shiftMs += random.between(-5_000, 2_000)
    else if (what === 'disturb') await this.#disturb()
    else if (what === 'restart') await this.#restart()
    else if (what === 'kill') await this.#kill()
    else await this.#takeBack()
  }

  async #commit(): Promise<void> {
    const { random } = this.#options
    const { lineage } = this.oracle
    const batch = Array.from({ length: random.between(1, 12) }, () =>
      random.chance(0.08) && this.#sent.length > 0 ? random.pick(this.#sent.slice(-20)) : this.#newCommit(),
    )
    this.#sent.push(...batch)
    const answers = await this.#coordinator.commit(batch)
    for (const [index, answer] of answers.entries()) {
      const { commitId } = batch[index] as Commit
      if ('revision' in answer) this.#acknowledged.set(commitId, { revision: answer.revision, lineage })
    }
    await this.#follow()
  }

  #newCommit(): Commit {
    const { random } = this.#options
    const keys = new Set(Array.from({ length: random.between(1, 4) }, () => random.between(0, 25)))
    const writes = Array.from(keys, (key): Write => {
      const kind = key % 3 === 0 ? 'node' : 'service'
      const id = key % 7 === 0 ? `\u{1f600}${key}` : `s${key}`
      if (random.chance(0.2)) return { op: 'delete', kind, id }
      const text = 'x'.repeat(random.chance(0.05) ? random.between(1_000, 60_000) : random.between(0, 200))
      return {
        op: 'put',
        kind,
        id,
        data: canonicalJson({ v: random.between(0, 1_000_000), text }) as CanonicalJson,
      }
    })
    const fingerprint = random.chance(0.4) ? { fingerprint: `print ${random.between(0, 1_000_000)}` } : {}
    return { commitId: this.#uuid(), actor: `test ${random.between(0, 3)}`, writes, ...fingerprint }
  }

  #uuid(): string {
    const digits = Array.from({ length: 4 }, () =>
      this.#options.random.between(0, 0xffff_ffff).toString(16).padStart(8, '0'),
    ).join('')
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-8${digits.slice(17, 20)}-${digits.slice(20)}`
  }

  /** The oracle learns what the journal has. */
  async #follow(from: Pick<ArchivingCoordinator, 'changes'> = this.#coordinator): Promise<void> {
    const { oracle } = this
    oracle.add(await entriesAfter(from, oracle.positionOf(oracle.lineage)))
  }

  async #fork(): Promise<void> {
    await this.#follow()
    const { position } = await this.#coordinator.fork()
    this.oracle.branch(position.lineage, this.oracle.lineage, position.revision)
  }

  async #compact(): Promise<void> {
    const { revision } = this.oracle.positionOf(this.oracle.lineage)
    // Mostly what is archived already; now and then all of it, so that the archiver is overtaken.
    const floor = this.#options.random.between(0, revision)
    this.compactions += 1
    await this.#coordinator.compact(floor)
  }

  async #changeTokens(): Promise<void> {
    const { random } = this.#options
    const active = [...this.tokens].filter(([, isRevoked]) => !isRevoked).map(([name]) => name)
    if (active.length > 0 && random.chance(0.5)) {
      const name = random.pick(active)
      await this.#coordinator.revokeToken(name)
      this.tokens.set(name, true)
    } else {
      const name = `t${this.tokens.size}`
      await this.#coordinator.putToken(name)
      this.tokens.set(name, false)
    }
  }

  async #disturb(): Promise<void> {
    const { random } = this.#options
    await this.#coordinator.disturb(random.pick(['fail', 'hang', 'lose reply']), random.between(5, 150))
  }

  async #restart(): Promise<void> {
    await this.#finish()
    if (this.#options.backend === 'sqlite' && this.#options.random.chance(0.5)) await this.#save()
    await this.#startAgain(false)
  }

  /** The process ends in the middle of commits and uploads. */
  async #kill(): Promise<void> {
    const { random } = this.#options
    const coordinator = this.#coordinator
    const { lineage } = this.oracle
    const batch = Array.from({ length: random.between(1, 40) }, () => this.#newCommit())
    const answered = coordinator.commit(batch).catch((thrown: unknown) => {
      if (thrown instanceof Killed) return []
      throw thrown
    })
    await pause(random.between(0, 12))
    if (coordinator instanceof ArchivedCoordinator) await coordinator.abandon()
    else await coordinator.kill?.()
    for (const [index, answer] of (await answered).entries()) {
      const { commitId } = batch[index] as Commit
      if ('revision' in answer) this.#acknowledged.set(commitId, { revision: answer.revision, lineage })
    }
    if (this.#options.backend === 'sqlite' && random.chance(0.4)) await this.#save()
    await this.#startAgain(false)
  }

  /** The machine is restored from a copy of its disk; the head is mended, as the documents say. What came after the copy is lost. */
  async #takeBack(): Promise<void> {
    const saved = this.#saved
    if (saved === undefined) return
    await this.#killed()
    await this.#remember()
    for (const end of ['-shm', '-wal', '']) await rm(`${this.#file}${end}`, { force: true })
    for (const end of ['', '-wal']) await copyIfThere(`${saved.path}${end}`, `${this.#file}${end}`)
    const { position } = await this.#startAgain(true, saved)
    this.tokens = new Map(saved.tokens)
    this.told.push(`back to ${position.revision}`)
  }

  async #killed(): Promise<void> {
    if (!(this.#coordinator instanceof ArchivedCoordinator)) await this.#coordinator.kill?.()
  }

  /** The oracle learns what is in the file of a process that was killed. */
  async #remember(): Promise<Head> {
    const store = new SqliteStore({ path: this.#file })
    try {
      const head = await store.open()
      await this.#follow({ changes: (after) => store.changes(after, 512) })
      return head
    } finally {
      await store.close()
    }
  }

  async #save(): Promise<void> {
    const { position } = await this.#remember()
    const path = `${this.#file}.saved`
    for (const end of ['', '-wal']) {
      await rm(`${path}${end}`, { force: true })
      await copyIfThere(`${this.#file}${end}`, `${path}${end}`)
    }
    const { lineage, revision } = position
    this.#saved = { path, lineage, revision, tokens: new Map(this.tokens) }
  }

  async #startAgain(mend: boolean, from?: SavedFile): Promise<Head> {
    this.#coordinator = this.#made(mend)
    const head = await this.#coordinator.start()
    const { lineage, revision } = head.position
    if (from === undefined) expect(lineage).toBe(this.oracle.lineage)
    else {
      expect(revision).toBe(from.revision)
      this.oracle.branch(lineage, from.lineage, from.revision)
    }
    await this.#follow()
    return head
  }

  #made(mend: boolean): ArchivedCoordinator | ArchivingProcess {
    if (this.#options.backend === 'memory')
      return new ArchivedCoordinator(new FaultyStore(this.#store), this.#archiving)
    return runArchiving({ ...this.#archiving, file: this.#file, mend, shiftMs: this.#shiftMs })
  }

  async #finish(): Promise<void> {
    await this.#follow()
    await this.#coordinator.finish()
    this.#requireAcknowledged()
  }

  /** What was acknowledged stands in the journal, at its revision. */
  #requireAcknowledged(): void {
    const lost = [...this.#acknowledged].filter(
      ([commitId, { revision, lineage }]) =>
        this.oracle.entriesOf(lineage)[revision - 1]?.commitId !== commitId,
    )
    expect(lost).toEqual([])
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
