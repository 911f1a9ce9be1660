import type { ServedKind } from './clusterClient.ts';

/** Parameters of a request; undefined ones are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

/** Where the API server has the kind, one object of it, or a subresource of that. */
export function pathFor(
  { group, version, plural, namespaced }: ServedKind,
  namespace: string | undefined,
  name: string | undefined,
  subresource: string | undefined,
): string {
  const root = group === '' ? ['api', version] : ['apis', group, version];
  const scope = namespaced && namespace !== undefined ? ['namespaces', namespace] : [];
  const rest = [plural, name, subresource].filter((part) => part !== undefined);
  return `/${[...root, ...scope, ...rest].map(encodeURIComponent).join('/')}`;
}

/** The parameters with a question mark; empty without parameters. */
export function queryText(query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}
