import type { EventEmitter } from 'node:events'
import type pg from 'pg'

const bound = 'SCRAM-SHA-256-PLUS'

/** The events of the driver with which a server asks for a login. */
const weakLogins = ['authenticationCleartextPassword', 'authenticationMD5Password']

/**
 * Lets a client log in only if that proves to both sides that they see the same certificate: `channel_binding=require` of libpq. A
 * password is sent to nobody else, not even hashed.
 *
 * @returns a check to call once the client is connected: a server may also ask for no login at all
 */
export function requireChannelBinding(client: pg.Client): () => void {
  const { connection } = client as unknown as { readonly connection: EventEmitter }
  let offered = false
  let proven = false
  const refuse = () => connection.emit('error', unbound())
  for (const event of weakLogins) {
    connection.removeAllListeners(event)
    connection.on(event, refuse)
  }
  const [logIn] = connection.listeners('authenticationSASL')
  connection.removeAllListeners('authenticationSASL')
  connection.on('authenticationSASL', (message: { readonly mechanisms: readonly string[] }) => {
    offered = message.mechanisms.includes(bound)
    if (offered) logIn?.(message)
    else refuse()
  })
  // A wrong proof of the server makes the connection fail before this counts.
  connection.on('authenticationSASLFinal', () => {
    proven = offered
  })
  return () => {
    if (!proven) throw unbound()
  }
}

function unbound(): Error {
  return new Error('channel binding is required, and the server does not offer it on this connection')
}
