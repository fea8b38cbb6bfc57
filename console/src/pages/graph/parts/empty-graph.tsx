import { Empty } from '../../../parts/states.tsx'
import { sendCommand } from '../../../state/commands.ts'

const FIRST = {
  serviceName: 'cart',
  version: '1.0.0',
  endpoint: 'http://cart:8080',
  dependencies: ['flagd'],
}

/** Shown while there is no node: the command makes two. */
export function EmptyGraph() {
  return (
    <Empty title="Nothing is registered yet." command={sendCommand('POST', '/register', FIRST)}>
      <p>Register a service that needs another one, and this page shows both:</p>
    </Empty>
  )
}
