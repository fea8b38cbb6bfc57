/** Whether an address to listen on can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(127\.[\d.]+|::1|localhost)$/.test(host)
}
