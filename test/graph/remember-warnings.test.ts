import { describe, expect, it } from 'vitest'
import { createCoordinator } from '../../src/coordinator.ts'
import type { RegisterAnswer } from '../../src/registry/registry.ts'
import { writtenBy } from '../support/written-by.ts'
import { withGraph } from './support/with-graph.ts'

describe('the warning of a cycle', () => {
  it('follows every change of the graph, though searches of an unchanged graph are remembered', async () => {
    const coordinator = await createCoordinator({ port: 0 })
    await coordinator.start()
    try {
      const { registry, graph } = coordinator
      const bodyOf = (serviceName: string, dependencies: string[], version = '1.0.0') => ({
        serviceName,
        version,
        endpoint: `http://${serviceName}:80`,
        dependencies,
      })
      const context = writtenBy('test')
      const cart = bodyOf('cart', ['shop'])
      await registry.register(bodyOf('shop', ['stock']), context)
      const registered = await registry.register(cart, context)
      const cycles = (body: ReturnType<typeof bodyOf>) =>
        graph.registerWarnings(body, registered).filter(({ code }) => code === 'dependency_cycle').length

      expect([cycles(cart), cycles(cart)]).toEqual([0, 0])

      // Closes the circle: the same question has another answer now.
      const stock = await registry.register(bodyOf('stock', ['cart']), context)
      expect([cycles(cart), cycles(cart)]).toEqual([1, 1])

      // Another instance of what is there changes nothing.
      await registry.register(bodyOf('cart', ['shop'], '1.0.1'), context)
      expect(cycles(cart)).toBe(1)

      await registry.deregister(stock.serviceId, context)
      expect(cycles(cart)).toBe(0)
    } finally {
      await coordinator.stop()
    }
  })

  it('is that of each registration, also where a service was registered anew before it was asked for', async () => {
    await withGraph(async ({ registry, graph, register }) => {
      await register('stock', { dependencies: ['cart'] })
      const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:80' }
      const bodies = [{ ...cart, dependencies: ['stock'] }, cart]
      const { results } = await registry.registerBatch(bodies, writtenBy('test'))
      const warned = bodies.map((body, at) => graph.registerWarnings(body, results[at] as RegisterAnswer))
      expect(warned.map((warnings) => warnings.map(({ code }) => code))).toEqual([['dependency_cycle'], []])
    })
  })

  it('counts a migration file that is stored, whether it was sent again or not', async () => {
    await withGraph(async ({ registry, graph, register }) => {
      await register('stock', { dependencies: ['cart'] })
      const cart = { serviceName: 'cart', version: '1.0.0', endpoint: 'http://cart:80' }
      const complete = { ...cart, migrationFile: { dependencies: ['stock'] } }
      const codes: string[][] = []
      for (const body of [complete, cart, complete]) {
        const answer = await registry.register(body, writtenBy('test'))
        // Something else in between, so that nothing is remembered.
        await register(`other-${codes.length}`)
        codes.push(graph.registerWarnings(body, answer).map(({ code }) => code))
        codes.push(graph.registerWarnings(complete, answer).map(({ code }) => code))
      }
      expect(codes).toEqual(Array(6).fill(['dependency_cycle']))
    })
  })
})
