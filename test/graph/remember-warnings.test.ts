import { describe, expect, it } from 'vitest'
import { createCoordinator } from '../../src/coordinator.ts'

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
      const context = { actor: 'test' }
      const cycles = (body: ReturnType<typeof bodyOf>) =>
        graph.registerWarnings(body).filter(({ code }) => code === 'dependency_cycle').length

      const cart = bodyOf('cart', ['shop'])
      await registry.register(bodyOf('shop', ['stock']), context)
      await registry.register(cart, context)
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
})
