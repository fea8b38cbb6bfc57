// The health check of the container: ends with 0 if the process answers, else with 1. It asks whether the process lives, and not whether its
// database does: a coordinator whose database is away still answers reads, and a restart would lose them.
import http from 'node:http'
import https from 'node:https'

const timeoutMs = 4_000

const { HOST = '', PORT = '3000', TLS_CERT_FILE = '' } = process.env
const everywhere = ['', '0.0.0.0', '::'].includes(HOST)
const { get } = TLS_CERT_FILE === '' ? http : https
const request = get({
  host: everywhere ? '127.0.0.1' : HOST,
  port: PORT || '3000',
  path: '/health/live',
  headers: { host: 'localhost' },
  // The certificate names the host for clients, and not this address. The request carries no secret.
  rejectUnauthorized: false,
  signal: AbortSignal.timeout(timeoutMs),
})
request.on('response', (response) => {
  response.resume()
  end(response.statusCode === 200 ? undefined : `/health/live answered ${response.statusCode}`)
})
request.on('error', (error) =>
  end(error.name === 'AbortError' ? `no answer within ${timeoutMs / 1_000} seconds` : error.message),
)

/** @param {string | undefined} fault */
function end(fault) {
  if (fault !== undefined) process.stderr.write(`${fault}\n`)
  process.exit(fault === undefined ? 0 : 1)
}
