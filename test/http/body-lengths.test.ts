import { expect, it } from 'vitest'
import { z } from 'zod'
import { bodyLengths } from '../../src/records/body/body-lengths.ts'
import { withServer } from './with-server.ts'

/** The parts of a body whose length nothing limits, as paths. */
function unlimited(schema: z.core.$ZodType, path: string): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod
  const { maxItems, maxBytes } = bodyLengths.get(schema) ?? {}
  const meta = z.globalRegistry.get(schema) as { maxLength?: number } | undefined
  switch (def.type) {
    case 'optional':
    case 'default':
      return unlimited(def.innerType, path)
    case 'union':
      return def.options.flatMap((option) => unlimited(option, path))
    case 'array':
      return [...(maxItems === undefined ? [path] : []), ...unlimited(def.element, `${path}/*`)]
    case 'object':
      if (maxBytes !== undefined) return []
      // One of any content needs a size.
      if (def.catchall !== undefined && def.catchall._zod.def.type !== 'never') return [path]
      return Object.entries(def.shape).flatMap(([key, member]) => unlimited(member, `${path}/${key}`))
    case 'string':
      return meta?.maxLength === undefined ? [path] : []
    case 'number':
    case 'enum':
    case 'boolean':
      return []
    default:
      return [`${path} (${def.type})`]
  }
}

it('every part of every body has a length that is judged before what it holds', () =>
  withServer(async ({ server }) => {
    const bodies = server.routes.flatMap(({ method, pattern, operation }) =>
      operation?.body === undefined ? [] : [{ route: `${method} ${pattern}`, schema: operation.body.schema }],
    )
    expect(bodies.length).toBeGreaterThan(7)
    for (const { route, schema } of bodies)
      expect({ route, unlimited: unlimited(schema, '') }).toEqual({ route, unlimited: [] })
  }))

it('no reader of a body goes round the place where that is judged', async () => {
  const { globSync, readFileSync } = await import('node:fs')
  const readers = globSync('src/{records,registry,graph,http}/**/*.ts').filter((path) =>
    /\.(safeParse|parse)(Async)?\((?!text|stored|data)/.test(
      readFileSync(path, 'utf8').replaceAll(/(JSON|Date|URL)\.parse/g, ''),
    ),
  )
  expect(readers.sort()).toEqual([
    'src/http/reading/read-query.ts',
    // Asks a schema whether a parameter is required.
    'src/http/reference/openapi.ts',
    'src/records/body/read-body.ts',
  ])
})
