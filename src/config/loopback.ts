/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return /^(127\.[\d.]+|::1|localhost)$/.test(host)
}
