import type { SharedBytes } from './body-part.ts'

interface Account {
  bytes: number
  /** How many answers of this owner hold a part. The part counts once. */
  readonly parts: Map<SharedBytes, number>
}

/** How many bytes of answers each principal or client has. Only those that have any are in it. */
export class OwnedBytes {
  readonly #accounts = new Map<string, Account>()

  bytesOf(owner: string): number {
    return this.#accounts.get(owner)?.bytes ?? 0
  }

  /** Adds bytes, or takes them away where they are negative. */
  add(owner: string, bytes: number): void {
    if (bytes === 0) return
    const account = this.#account(owner)
    account.bytes += bytes
    this.#dropEmpty(owner, account)
  }

  /** Adds parts that others may have, too. */
  share(owner: string, parts: readonly SharedBytes[]): void {
    if (parts.length === 0) return
    const account = this.#account(owner)
    for (const part of parts) {
      const holders = account.parts.get(part) ?? 0
      if (holders === 0) account.bytes += part.bytes.length
      account.parts.set(part, holders + 1)
    }
  }

  /** Takes the parts of one answer away. */
  unshare(owner: string, parts: readonly SharedBytes[]): void {
    if (parts.length === 0) return
    const account = this.#account(owner)
    for (const part of parts) {
      const holders = (account.parts.get(part) ?? 1) - 1
      if (holders > 0) account.parts.set(part, holders)
      else if (account.parts.delete(part)) account.bytes -= part.bytes.length
    }
    this.#dropEmpty(owner, account)
  }

  #account(owner: string): Account {
    let account = this.#accounts.get(owner)
    if (account === undefined) {
      account = { bytes: 0, parts: new Map() }
      this.#accounts.set(owner, account)
    }
    return account
  }

  #dropEmpty(owner: string, account: Account): void {
    if (account.bytes === 0 && account.parts.size === 0) this.#accounts.delete(owner)
  }
}
