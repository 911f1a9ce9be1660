import * as tls from 'node:tls';

let all: string[] | undefined;

/**
 * The authorities that are trusted where nobody names one, as PEM: Node's own, those of `NODE_EXTRA_CA_CERTS`, and the
 * system's, where companies put the ones of their proxies. Programs written in Go trust the system's too.
 */
export function trustedAuthorities(): string[] {
  all ??= [...new Set([...ofNode(), ...ofSystem()])];
  return all;
}

type Store = 'default' | 'system';
/** Absent in Node 20 and the first releases of 22. */
const certificatesOf = (tls as { getCACertificates?: (store: Store) => string[] }).getCACertificates;

function ofNode(): readonly string[] {
  return certificatesOf?.('default') ?? tls.rootCertificates;
}

function ofSystem(): readonly string[] {
  return certificatesOf?.('system') ?? [];
}
