import { plumbError } from '../../base/plumbError.ts';
import {
  environmentProxy,
  proxyUrlFrom,
  type Environment,
  type ProxyChoice,
} from '../http/environmentProxy.ts';
import type { ClusterConnection } from './kubeconfig.ts';

/**
 * The proxy to the cluster: `proxy-url` of the kubeconfig, else the one of the environment, as kubectl chooses.
 * Throws KubeconfigInvalid for one that is neither http, https nor socks5.
 */
export function proxyOf(
  { cluster, contextName }: ClusterConnection,
  env: Environment,
): ProxyChoice | undefined {
  const invalid = (problem: string): Error =>
    plumbError('KubeconfigInvalid', {
      message: `context ${contextName}: ${problem}`,
      hint: 'write the proxy as http://host:port, https://host:port or socks5://host:port',
    });
  if ((cluster.proxyUrl ?? '') !== '') {
    const url = proxyUrlFrom(cluster.proxyUrl ?? '');
    if (url === undefined) throw invalid('proxy-url is no address of an http, https or socks5 proxy');
    return { url, from: 'proxy-url of the kubeconfig' };
  }
  try {
    return environmentProxy(new URL(cluster.server), env);
  } catch (error) {
    throw invalid((error as Error).message);
  }
}
