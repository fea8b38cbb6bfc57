import { recordIdOf } from '../../src/records/graph/graph-id.ts'
import { serviceIdOf } from '../../src/records/service/identity.ts'
import type { Call } from '../faults/coordinator-client.ts'
import type { Fields, Wish } from './recorded-call.ts'

// biome-ignore lint/suspicious/noExplicitAny: bodies of answers and of the journal, of every shape
type Json = any

/** A record that clients fight for: how its wishes are sent, and what its answers show. */
export interface Subject {
  readonly key: string
  /** Fields that a `replace` may name; those in `keeps` stay where it does not. */
  readonly replaces: readonly string[]
  readonly keeps: readonly string[]
  readonly merges: readonly string[]
  send(wish: Exclude<Wish, { does: 'read' }>): Call
  readonly path: string
  /** Answers the record in a list; absent where there is no such question. */
  readonly listPath?: string
  fieldsOf(body: Json): Fields
  /** What an entry of the journal says about it; `undefined` for a deletion. */
  storedFields(data: Json): Fields
  /** What the answer to a write says is there. */
  holds(body: Json): Readonly<Record<string, boolean>> | undefined
}

export function serviceSubject(name: string): Subject {
  const base = { serviceName: name, version: '1.0.0', endpoint: `http://${name}:80` }
  const id = serviceIdOf(base)
  const storedFields = ({ description, migrationFile }: Json): Fields => ({
    ...(description === undefined ? {} : { value: description }),
    ...(migrationFile === undefined ? {} : { migration: migrationFile.m }),
  })
  return {
    key: `service ${id}`,
    replaces: ['value', 'migration'],
    keeps: ['migration'],
    merges: ['migration'],
    path: `/services/${id}`,
    listPath: `/services?name=${name}`,
    send: (wish) => {
      if (wish.does === 'delete') return { method: 'DELETE', path: `/services/${id}` }
      const { value, migration } = wish.fields
      const migrationFile = migration === undefined ? {} : { migrationFile: { m: migration } }
      return wish.does === 'merge'
        ? { method: 'POST', path: `/register/${id}/migration`, body: migrationFile }
        : { method: 'POST', path: '/register', body: { ...base, description: value, ...migrationFile } }
    },
    fieldsOf: (body) => storedFields(body.service ?? body),
    storedFields,
    holds: ({ status }) => (status === undefined ? undefined : { migration: status === 'active' }),
  }
}

export function nodeSubject(name: string): Subject {
  const id = `team:${name}`
  const path = `/knowledge-graph/nodes/${id}`
  return {
    key: `node ${recordIdOf(id)}`,
    replaces: ['p'],
    keeps: [],
    merges: ['q', 'r'],
    path,
    send: (wish) =>
      wish.does === 'delete'
        ? { method: 'DELETE', path }
        : {
            method: wish.does === 'merge' ? 'PATCH' : 'PUT',
            path,
            body: { properties: wish.fields },
          },
    fieldsOf: (body) => body.node.data.properties ?? {},
    storedFields: (data) => data.properties ?? {},
    holds: () => undefined,
  }
}
