import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { etcdConfig, haproxyConfig } from './configuration.ts'
import { Member, type ServerState } from './member.ts'
import { Home, Program, signalAll } from './program.ts'

/** Who is who, as Patroni says. */
export interface Roles {
  readonly leader: Member
  readonly syncStandby: Member
}

interface Listed {
  readonly name: string
  readonly role: string
  readonly state: string
  readonly timeline?: number
}

/** The programs of Debian that it needs: the packages etcd-server, patroni, haproxy and postgresql-15. */
export const neededPrograms = [
  'etcd',
  'patroni',
  '/usr/sbin/haproxy',
  '/usr/lib/postgresql/15/bin/postgres',
] as const

/** After how long without a standby Patroni is looked at, in milliseconds. */
const stuckMs = 45_000

const role = { name: 'coordinator', password: 'secret-of-coordinator' }

/** Patroni with three members in strict synchronous mode, one etcd, and HAProxy before them, all on this machine. */
export class PatroniCluster implements AsyncDisposable {
  readonly members: readonly Member[]
  /** How often Patroni had to be started again, because it did not go on by itself. */
  restarts = 0
  readonly #home: Home
  readonly #etcd: Program
  readonly #etcdPort: number
  readonly #haproxy: Program
  readonly #haproxyPort: number

  private constructor(
    home: Home,
    programs: {
      etcd: Program
      etcdPort: number
      haproxy: Program
      haproxyPort: number
      members: readonly Member[]
    },
  ) {
    this.#home = home
    this.#etcd = programs.etcd
    this.#etcdPort = programs.etcdPort
    this.#haproxy = programs.haproxy
    this.#haproxyPort = programs.haproxyPort
    this.members = programs.members
  }

  /** Resolves when there is a primary with its standby, and the third member follows. */
  static async start(): Promise<PatroniCluster> {
    const home = new Home()
    const members: Member[] = []
    try {
      const etcdPort = await freePort()
      const etcd = await makeEtcd(home, etcdPort)
      for (const name of ['node1', 'node2', 'node3'])
        members.push(await Member.make({ home, name, etcdPort }))
      const haproxyPort = await freePort()
      const haproxy = makeHaproxy(home, haproxyPort, members)
      const cluster = new PatroniCluster(home, { etcd, etcdPort, haproxy, haproxyPort, members })
      await cluster.#begin()
      return cluster
    } catch (thrown) {
      for (const member of members) await member.dispose()
      await home[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** Names every member. */
  get url(): string {
    return this.#url(this.members.map(({ line }) => `127.0.0.1:${line.port}`).join())
  }

  /** Names HAProxy, which knows the primary. */
  get haproxyUrl(): string {
    return this.#url(`127.0.0.1:${this.#haproxyPort}`)
  }

  /** Runs SQL on the primary, as the superuser. */
  async query<Row = Record<string, unknown>>(text: string): Promise<Row[]> {
    return (await this.roles()).leader.query<Row>(text)
  }

  /**
   * Waits until every member is well, one of them the primary and one the standby that its commits wait for.
   *
   * @throws Error with what each program wrote last
   */
  async roles(limitMs = 120_000): Promise<Roles> {
    let seen: readonly Listed[] = []
    const startedAt = performance.now()
    return this.#until(
      limitMs,
      () => `all members are well; Patroni shows ${JSON.stringify(seen)}`,
      async () => {
        seen = await this.#list()
        const withRole = (wanted: string) => seen.find(({ role }) => role === wanted)
        const [leader, syncStandby] = [withRole('leader'), withRole('sync_standby')]
        const isWell = seen.every(
          ({ state, timeline }) => /^(running|streaming)$/.test(state) && timeline === leader?.timeline,
        )
        if (leader && !syncStandby && performance.now() - startedAt > stuckMs)
          await this.#unstick(this.#named(leader.name))
        if (seen.length < this.members.length || !isWell || !leader || !syncStandby) return undefined
        const roles = { leader: this.#named(leader.name), syncStandby: this.#named(syncStandby.name) }
        // Patroni shows what it knew a moment ago.
        const state = await roles.leader.state()
        return state?.primary && state.standbys.includes(syncStandby.name) ? roles : undefined
      },
    )
  }

  /**
   * Waits for the moment in which writing is possible: a primary has a standby that its commits wait for.
   *
   * @param but members that do not count, because they are not well
   */
  async primaryWithStandby(
    but: { readonly asPrimary?: Member; readonly asStandby?: Member },
    limitMs = 90_000,
  ): Promise<Member> {
    const isWriting = (state: ServerState | undefined) =>
      state?.primary && state.standbys.some((name) => name !== but.asStandby?.name)
    let found: Member | undefined
    // Each in its own rhythm: one that hangs must not delay the look at the others.
    const looks = this.members
      .filter((member) => member !== but.asPrimary)
      .map(async (member) => {
        for (const end = performance.now() + limitMs; found === undefined && performance.now() < end; )
          if (isWriting(await member.state())) found ??= member
          else await sleep(50)
      })
    await Promise.race([
      Promise.all(looks),
      this.#until(
        limitMs,
        () => 'a primary has a standby',
        async () => found,
      ),
    ])
    if (found === undefined)
      throw new Error(`No primary had a standby within ${limitMs} ms.\n${this.lastWords}`)
    return found
  }

  async killEtcd(): Promise<void> {
    await this.#etcd.kill()
  }

  startEtcd(): void {
    this.#etcd.start()
  }

  freezeEtcd(): void {
    if (this.#etcd.pid !== undefined) signalAll([this.#etcd.pid], 'SIGSTOP')
  }

  resumeEtcd(): void {
    if (this.#etcd.pid !== undefined) signalAll([this.#etcd.pid], 'SIGCONT')
  }

  get lastWords(): string {
    return [this.#etcd, this.#haproxy, ...this.members].map(({ lastWords }) => lastWords).join('\n\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.members) await member.dispose()
    await this.#home[Symbol.asyncDispose]()
  }

  async #begin(): Promise<void> {
    this.#etcd.start()
    // Patroni asks once which version it talks to, and the first answers of a new etcd name one that is too old.
    await this.#until(
      30_000,
      () => 'etcd is ready',
      async () => {
        const answer = await fetch(`http://127.0.0.1:${this.#etcdPort}/version`).catch(() => undefined)
        return /"etcdcluster":"3\.[4-9]/.test((await answer?.text()) ?? '') ? true : undefined
      },
    )
    const [first, ...others] = this.members as [Member, ...Member[]]
    first.start()
    await this.#until(
      30_000,
      () => 'the first member is the primary',
      async () => ((await first.ask('/primary'))?.ok ? true : undefined),
    )
    for (const member of others) member.start()
    this.#haproxy.start()
    const { leader } = await this.roles()
    await leader.query(`create role ${role.name} login password '${role.password}'`, { database: 'postgres' })
    await leader.query(`create database coordinator owner ${role.name}`, { database: 'postgres' })
  }

  #url(hosts: string): string {
    return `postgres://${role.name}:${role.password}@${hosts}/coordinator?sslmode=disable`
  }

  async #list(): Promise<readonly Listed[]> {
    for (const member of this.members) {
      const answer = await member.ask('/cluster')
      if (answer?.ok) return ((await answer.json()) as { members: Listed[] }).members
    }
    return []
  }

  /**
   * Patroni before 3.1.0 may go on for ever with an old copy of what etcd has, and then never names a standby (its pull request 2783). It has
   * to be started again, as an operator would.
   */
  async #unstick(leader: Member): Promise<void> {
    if (!leader.lastWords.slice(-1_000).includes('Synchronous replication key updated by someone else'))
      return
    this.restarts += 1
    await leader.killPatroni()
    leader.start()
    await sleep(5_000)
  }

  /** What Patroni keeps in etcd about the synchronous standby. */
  async #syncKey(): Promise<string> {
    const key = Buffer.from('/service/coordinator/sync').toString('base64')
    const url = `http://127.0.0.1:${this.#etcdPort}/v3/kv/range`
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ key }) }).catch(() => undefined)
    const { kvs = [] } = ((await answer?.json()) ?? {}) as { kvs?: { value: string }[] }
    return `sync: ${kvs.map(({ value }) => Buffer.from(value, 'base64').toString()).join()}`
  }

  #named(name: string): Member {
    return this.members.find((member) => member.name === name) as Member
  }

  async #until<T>(limitMs: number, what: () => string, look: () => Promise<T | undefined>): Promise<T> {
    for (const end = performance.now() + limitMs; performance.now() < end; await sleep(50)) {
      const found = await look()
      if (found !== undefined) return found
    }
    throw new Error(`Not within ${limitMs} ms: ${what()}.\n${await this.#syncKey()}\n${this.lastWords}`)
  }
}

async function makeEtcd(home: Home, port: number): Promise<Program> {
  const folder = join(home.path, 'etcd')
  mkdirSync(folder)
  home.own(folder)
  const config = etcdConfig(folder, port, await freePort())
  writeFileSync(join(folder, 'etcd.yml'), config)
  return new Program(folder, ['etcd', '--config-file', 'etcd.yml'])
}

function makeHaproxy(home: Home, port: number, members: readonly Member[]): Program {
  const folder = join(home.path, 'haproxy')
  mkdirSync(folder)
  home.own(folder)
  const places = members.map(({ line, restPort }) => ({ port: line.port, restPort }))
  const config = haproxyConfig(port, places)
  writeFileSync(join(folder, 'haproxy.cfg'), config)
  return new Program(folder, ['/usr/sbin/haproxy', '-db', '-f', 'haproxy.cfg'])
}
