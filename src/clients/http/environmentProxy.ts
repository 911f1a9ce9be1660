import { BlockList, isIP } from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy, and where its address stands: the words for errors. */
export interface ProxyChoice {
  readonly url: URL;
  readonly from: string;
}

const proxySchemes = ['http:', 'https:', 'socks5:', 'socks5h:'];

/**
 * The proxy that the environment names for an address: `HTTPS_PROXY` or `HTTP_PROXY` unless `NO_PROXY` exempts its host, in
 * upper or lower case. As kubectl, Flux and all Go programs read them; localhost is never proxied.
 */
export function environmentProxy(address: URL, env: Environment): ProxyChoice | undefined {
  const name = address.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const found = variable(env, name);
  if (found === undefined || isExempt(address, variable(env, 'NO_PROXY')?.value ?? '')) return undefined;
  const url = proxyUrlFrom(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(found.value) ? found.value : `http://${found.value}`,
  );
  if (url === undefined) throw new Error(`${found.name} is no address of an http, https or socks5 proxy`);
  return { url, from: found.name };
}

/** The URL of a proxy; undefined for what is none that kubectl knows. */
export function proxyUrlFrom(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && proxySchemes.includes(url.protocol) && url.hostname !== '' ? url : undefined;
}

function variable(env: Environment, name: string): { name: string; value: string } | undefined {
  for (const spelled of [name, name.toLowerCase()]) {
    const value = env[spelled]?.trim() ?? '';
    if (value !== '') return { name: spelled, value };
  }
  return undefined;
}

/** Whether `NO_PROXY` names the host: `*`, addresses, networks, and domains with what is below them, each with or without a port. */
function isExempt(address: URL, noProxy: string): boolean {
  const host = address.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = address.port === '' ? (address.protocol === 'https:' ? '443' : '80') : address.port;
  if (host === 'localhost' || isLoopback(host)) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry === '*' || matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  const network = /^(.+)\/(\d+)$/.exec(entry);
  if (network !== null) return isInNetwork(host, network[1] ?? '', Number(network[2]));
  const [, bracketed, plain, wantedPort] =
    /^(?:\[([^\]]+)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? [];
  const named = bracketed ?? plain ?? '';
  if (named === '' || (wantedPort !== undefined && wantedPort !== port)) return false;
  if (isIP(named) !== 0) return isIP(host) !== 0 && isInNetwork(host, named, isIP(named) === 4 ? 32 : 128);
  // A leading dot, or a star and a dot, leaves the domain itself out.
  const domain = named.replace(/^\*(?=\.)/, '');
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function isLoopback(host: string): boolean {
  return isInNetwork(host, '127.0.0.0', 8) || isInNetwork(host, '::1', 128);
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const family = isIP(network);
  if (family === 0 || isIP(host) !== family || bits > (family === 4 ? 32 : 128)) return false;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(network, bits, type);
  return list.check(host, type);
}
