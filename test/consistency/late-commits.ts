import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type Coordinator, createCoordinator } from '../../src/coordinator.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import { parseRegistration } from '../../src/records/service/parse-registration.ts'
import { ask, type Env, type Reply, registration } from '../main/coordinator-process.ts'
import type { PostgresServer } from '../support/postgres.ts'
import {
  type DelayedPath,
  type MakePath,
  type Place,
  stallingLines,
  stoppedSessions,
} from './delayed-path.ts'

type Body = ReturnType<typeof registration>

/** Who writes beside the coordinators whose commits are delayed. */
interface Others {
  register(body: Body): Promise<void>
  remove(serviceId: string): Promise<void>
}

interface Stage {
  readonly path: DelayedPath
  /** Coordinators whose commits are delayed. */
  readonly delayed: readonly Coordinator[]
  readonly others: Others
  /** Where the present state of each record is read from. */
  readonly observers: readonly Coordinator[]
}

/**
 * One round for every delayed coordinator: how many of them were told that nothing happened. Only what was told is judged: a commit
 * whose outcome is unknown (503) may come later, or not.
 */
type Scenario = (stage: Stage, bodies: readonly Body[]) => Promise<number>

/**
 * DELETE is answered 404. A registration that is acknowledged after that must stay, whatever comes late.
 */
const lateDelete: Scenario = async ({ path, delayed, others, observers }, bodies) => {
  await path.hold()
  const answers = await Promise.all(bodies.map((body, index) => ask(urlOf(delayed[index], body), 'DELETE')))
  await Promise.all(bodies.map((body) => others.register(body)))
  const told = answers.map(({ status }) => status === 404)
  await path.deliver()
  for (const [index, body] of bodies.entries())
    if (told[index]) expect((await latest(observers[index], body)).status, body.serviceName).toBe(200)
  return told.filter(Boolean).length
}

/** A registration with `If-None-Match: *` is answered 412. Once the service is removed it must not appear again. */
const lateCreate: Scenario = async ({ path, delayed, others, observers }, bodies) => {
  await path.hold()
  const asked = bodies.map((body, index) => post(delayed[index], body, { 'if-none-match': '*' }))
  await allKept(path, bodies.length)
  await Promise.all(bodies.map((body) => others.register({ ...body, version: body.version })))
  const told = (await Promise.all(asked)).map(({ status }) => status === 412)
  await Promise.all(bodies.map((body) => others.remove(idOf(body))))
  await path.deliver()
  for (const [index, body] of bodies.entries())
    if (told[index]) expect((await latest(observers[index], body)).status, body.serviceName).toBe(404)
  return told.filter(Boolean).length
}

/** A registration with `If-Match` is answered 412. What others registered meanwhile must stay. */
const lateChange: Scenario = async ({ path, delayed, others, observers }, bodies) => {
  const etags = await Promise.all(
    bodies.map(async (body, index) => (await post(delayed[index], body)).headers.get('etag') as string),
  )
  await path.hold()
  const asked = bodies.map((body, index) =>
    post(delayed[index], described(body, 'late'), { 'if-match': etags[index] as string }),
  )
  await allKept(path, bodies.length)
  await Promise.all(bodies.map((body) => others.register(described(body, 'newer'))))
  const told = (await Promise.all(asked)).map(({ status }) => status === 412)
  await path.deliver()
  for (const [index, body] of bodies.entries())
    if (told[index]) expect(await descriptionOf(observers[index], body), body.serviceName).toBe('newer')
  return told.filter(Boolean).length
}

/** A registration is answered `changed: false`. What is registered after that must not be overwritten. */
const latePut: Scenario = async ({ path, delayed, others, observers }, bodies) => {
  // With a migrationFile of its own a registration depends on nothing that is stored, and expects nothing.
  const whole = bodies.map((body) => ({ ...body, migrationFile: { tables: [] } }))
  await Promise.all(whole.map((body, index) => post(delayed[index], body)))
  await path.hold()
  const answers = await Promise.all(whole.map((body, index) => post(delayed[index], body)))
  const told = answers.map(({ body }) => body.changed === false)
  await Promise.all(whole.map((body) => others.register(described(body, 'newer'))))
  await path.deliver()
  for (const [index, body] of whole.entries())
    if (told[index]) expect(await descriptionOf(observers[index], body), body.serviceName).toBe('newer')
  return told.filter(Boolean).length
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'a DELETE that was answered 404': lateDelete,
  'a registration with If-None-Match that was answered 412': lateCreate,
  'a registration with If-Match that was answered 412': lateChange,
  'a registration that was answered unchanged': latePut,
}

export const paths: Readonly<Record<string, (place: Place) => MakePath>> = {
  'its session was stopped': stoppedSessions,
  'its line stalled': stallingLines,
}

/** Who the others are: two more coordinators, or nobody but this coordinator and hands in SQL. */
export const companies = { 'one coordinator': 'hands', 'three coordinators': 'coordinators' } as const

export interface Rounds {
  readonly place: Place
  readonly makePath: MakePath
  readonly scenario: Scenario
  readonly company: 'hands' | 'coordinators'
  /** How many coordinators have their commits delayed at once, each on a record of its own. @default 1 */
  readonly width?: number
  /** In how many rounds a coordinator is to be told that nothing happened. @default 1 */
  readonly wanted?: number
}

/**
 * Plays a scenario until so many rounds went as they should, and says how many did. On a busy machine a coordinator may send its
 * commit again before the others were there: then it is told of a success, and the round says nothing. Up to eight times as many rounds
 * as needed are therefore played.
 */
export async function playRounds(rounds: Rounds): Promise<number> {
  const { place, makePath, scenario, company, width = 1, wanted = 1 } = rounds
  await using stack = new AsyncDisposableStack()
  const path = stack.use(await makePath(width))
  const start = async (env: Env) => {
    // Many coordinators that ask often would keep the machine from the rest.
    const pace = { POLL_MIN_MS: '500', POLL_MAX_MS: '2000', PORT: '0' }
    const coordinator = await createCoordinator({ env: { ...env, ...pace } })
    stack.defer(async () => {
      await coordinator.stop(0)
    })
    await coordinator.start()
    return coordinator
  }
  const delayed = await Promise.all(Array.from({ length: width }, (_, index) => start(path.env(index))))
  const own = envOf(place)
  const [one, two] = company === 'hands' ? [] : [await start(own), await start(own)]
  const stage =
    one === undefined || two === undefined
      ? { path, delayed, others: handsOn(serverOf(place)), observers: delayed }
      : { path, delayed, others: coordinators(one, two), observers: delayed.map(() => one) }
  const run = Math.random().toString(36).slice(2, 8)
  let told = 0
  for (let time = 0; told < wanted && time < 8 * Math.ceil(wanted / width); time += 1) {
    // The session in which a coordinator commits is known by what it did last.
    await Promise.all(delayed.map((each, index) => post(each, registration(`warm-${run}-${time}-${index}`))))
    const bodies = delayed.map((_, index) => registration(`late-${run}-${time}-${index}`))
    told += await scenario(stage, bodies)
  }
  return told
}

function serverOf(place: Place): PostgresServer {
  return 'api' in place ? place.server : place
}

function envOf(place: Place): Env {
  return 'api' in place
    ? { SUPABASE_URL: place.api.url, SUPABASE_SECRET_KEY: place.keys.secretKey }
    : { DATABASE_URL: place.url() }
}

function coordinators(one: Coordinator, other: Coordinator): Others {
  return {
    register: async (body) => {
      expect((await post(one, body)).status).toBeLessThan(300)
    },
    remove: async (serviceId) => {
      const path = `${other.url}/services/${serviceId}`
      expect((await ask(path, 'DELETE')).status).toBe(200)
    },
  }
}

function handsOn(server: PostgresServer): Others {
  return {
    register: async (body) => {
      const data = JSON.stringify(parseRegistration(body).registration)
      await server.query(
        `insert into coordinator.records (kind, id, data) values ('service', '${idOf(body)}', '${data}')
         on conflict (kind, id) do update set data = excluded.data`,
      )
    },
    remove: async (serviceId) => {
      await server.query(`delete from coordinator.records where kind = 'service' and id = '${serviceId}'`)
    },
  }
}

/** Waits until every call is on its way and kept, or the first of them was given up. */
async function allKept(path: DelayedPath, calls: number): Promise<void> {
  for (const end = performance.now() + 800; path.kept < calls && performance.now() < end; ) await sleep(10)
}

function post(
  coordinator: Coordinator | undefined,
  body: Body,
  headers: Record<string, string> = {},
): Promise<Reply> {
  return ask(`${coordinator?.url}/register`, 'POST', body, headers)
}

function latest(coordinator: Coordinator | undefined, body: Body): Promise<Reply> {
  return ask(`${urlOf(coordinator, body)}?consistency=latest`)
}

async function descriptionOf(coordinator: Coordinator | undefined, body: Body): Promise<unknown> {
  return (await latest(coordinator, body)).body.service.description
}

function urlOf(coordinator: Coordinator | undefined, body: Body): string {
  return `${coordinator?.url}/services/${idOf(body)}`
}

function idOf(body: Body): string {
  return serviceIdOf(parseRegistration(body).registration)
}

function described<T extends Body>(body: T, description: string): T {
  return { ...body, description }
}
