/** A name that the cluster's own DNS gives a Service: `git.shop.svc`, `git.shop.svc.cluster.local`. */
const serviceHost = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?\.?$/;

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'ssh:': '22' };

/** What to do about an address that only the cluster can resolve; undefined for any other. */
export function clusterHostHint(address: string): string | undefined {
  const url = URL.parse(address);
  const [, service, namespace] = serviceHost.exec(url?.hostname ?? '') ?? [];
  if (url === null || service === undefined || namespace === undefined) return undefined;
  const port = url.port === '' ? (defaultPorts[url.protocol] ?? '443') : url.port;
  return (
    `${url.hostname} resolves only in the cluster: run kubectl port-forward -n ${namespace} service/${service} ${port} ` +
    `and name ${url.hostname} as 127.0.0.1 in the hosts file, or leave this source to the controllers`
  );
}
