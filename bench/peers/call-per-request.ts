/**
 * Peer of `POST /register` on Supabase: what one writes without gathering. Each request is one call of the database function
 * through supabase-js. Takes SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY.
 */
import { createClient } from '@supabase/supabase-js'
import Fastify from 'fastify'

const client = createClient(
  process.env['SUPABASE_URL'] ?? '',
  process.env['SUPABASE_SERVICE_ROLE_KEY'] ?? '',
  {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  },
)

const app = Fastify()
app.get('/', () => ({ ok: true }))
app.post('/register', async (request) => {
  const service = request.body as { endpoint: string }
  const { data, error } = await client.rpc('bench_peer_store', { p: { id: service.endpoint, data: service } })
  if (error !== null) throw new Error(error.message)
  return { success: true, revision: data as number }
})
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' })
