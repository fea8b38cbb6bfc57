const certificateCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|ERR_MISSING_PASSPHRASE$|EPROTO$|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT|UNABLE_TO_)/

/** Whether this code of Node.js or OpenSSL means that a certificate is not accepted. Waiting does not help then. */
export function isCertificateCode(code: string): boolean {
  return certificateCodes.test(code)
}
