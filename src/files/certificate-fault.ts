const NOT_TRUSTED = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_\w+)$/;

/**
 * What is wrong with the certificate of a server, and the way out; undefined if the code of the error is about something
 * else.
 * @param who the server, in words
 * @param option the one that takes certificates of authorities
 */
export function certificateFault(code: string, who: string, option: string): string | undefined {
  const certificate = `the certificate of the ${who}`;
  if (code === 'CERT_HAS_EXPIRED') return `${certificate} has expired (${code})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${certificate} is for another host (${code}): give the name that it has`;
  return NOT_TRUSTED.test(code)
    ? `${certificate} is not trusted (${code}): give its authority with ${option}`
    : undefined;
}
