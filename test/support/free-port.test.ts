import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from './free-port.ts'

it('gives ports of five digits that nothing else on the machine is given, and none twice', async () => {
  const ports = new Set<number>()
  for (let time = 0; time < 200; time += 1) ports.add(await freePort())
  expect(ports.size).toBe(200)
  for (const port of ports) {
    expect(String(port)).toHaveLength(5)
    expect(port).toBeLessThan(firstGivenAway())
  }
  const server = createServer().listen(await freePort(), '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

/** The first port that this system gives to an outgoing connection. */
function firstGivenAway(): number {
  if (process.platform !== 'linux') return 49_152
  return Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t')[0])
}
