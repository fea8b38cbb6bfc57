import type { X509Certificate } from 'node:crypto'
import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:tls'
import { toCoordinatorError } from '../../errors.ts'
import type { Logger } from '../../telemetry/logging.ts'
import { checkTlsPair, readTlsPair, TLS_MIN_VERSION, type TlsFiles, type TlsPair } from './tls-pair.ts'

export interface CertificateOptions {
  readonly files: TlsFiles
  readonly log: Logger
  /** How often the files are read. @default 2_000 (milliseconds) */
  readonly lookMs?: number | undefined
}

/**
 * The certificate of a server, read again when its files change.
 *
 * The files are read again and again, because notices of the file system are lost on network drives and with mounted secrets. They are used
 * when they have stayed the same from one look to the next, and belong together. Until then, the certificate from before stays: whoever
 * renews it may write one file after the other, or a file in several pieces.
 */
export class ServerCertificate {
  readonly #files: TlsFiles
  readonly #log: Logger
  readonly #lookMs: number
  #used: TlsPair | undefined
  #endsAt: number | undefined
  #seen: TlsPair | undefined
  #toldFault: string | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor({ files, log, lookMs = 2_000 }: CertificateOptions) {
    this.#files = files
    this.#log = log
    this.#lookMs = lookMs
  }

  /**
   * Gives the server its certificate, and looks for others from then on.
   *
   * @throws COORD_TLS_FILE
   */
  async use(server: Server): Promise<void> {
    if (!(server instanceof TlsServer)) return
    const pair = await readTlsPair(this.#files)
    this.#seen = pair
    this.#apply(pair, server)
    this.#lookLater(server)
  }

  /** The end of the certificate in use, in epoch milliseconds; `undefined` before there is one. */
  get endsAt(): number | undefined {
    return this.#endsAt
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  #lookLater(server: TlsServer): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => void this.#look(server), this.#lookMs).unref()
  }

  async #look(server: TlsServer): Promise<void> {
    try {
      const pair = await readTlsPair(this.#files)
      const stays = isSame(pair, this.#seen)
      this.#seen = pair
      if (!this.#stopped && stays && !isSame(pair, this.#used)) this.#apply(pair, server)
      if (isSame(pair, this.#used)) this.#toldFault = undefined
    } catch (thrown) {
      const { detail } = toCoordinatorError(thrown)
      if (detail !== this.#toldFault)
        this.#log.warn(
          { fault: detail },
          'the TLS files have changed and are not used; the certificate stays',
        )
      this.#toldFault = detail
    }
    this.#lookLater(server)
  }

  #apply(pair: TlsPair, server: TlsServer): void {
    const certificate = checkTlsPair(pair, this.#files)
    server.setSecureContext({ ...pair, minVersion: TLS_MIN_VERSION })
    this.#used = pair
    this.#endsAt = certificate.validToDate.getTime()
    this.#report(certificate)
  }

  #report({ subject, subjectAltName, validFromDate, validToDate, fingerprint256 }: X509Certificate): void {
    const members = {
      names: subjectAltName ?? subject,
      validTo: validToDate.toISOString(),
      sha256: fingerprint256,
    }
    const now = new Date()
    if (validToDate < now) this.#log.warn(members, 'the certificate has expired: clients will refuse it')
    else if (validFromDate > now) this.#log.warn(members, 'the certificate is not valid yet')
    else this.#log.info(members, 'the certificate is in use')
  }
}

function isSame(one: TlsPair, other: TlsPair | undefined): boolean {
  return one.cert === other?.cert && one.key === other.key
}
