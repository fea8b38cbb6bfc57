const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|EPROTO$|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT|UNABLE_TO_)/

/** Whether Node.js or OpenSSL say with this code that a certificate is not accepted: waiting does not help. */
export function isCertificateCode(code: string): boolean {
  return certificateCodes.test(code)
}
