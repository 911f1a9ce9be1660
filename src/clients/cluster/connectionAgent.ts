import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import type { TlsMaterial } from './credentials.ts';

/** TCP keep-alive probes find a dead peer even where nothing is sent. */
const keepAliveMs = 30_000;

/** A pool of at most `maxSockets` keep-alive connections to the cluster, through its proxy when there is one. */
export async function connectionAgent(
  cluster: Cluster,
  proxyUrl: string | undefined,
  tls: TlsMaterial,
  maxSockets: number,
): Promise<HttpAgent> {
  const pool: AgentOptions = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets, scheduling: 'lifo' };
  if (proxyUrl !== undefined) return await proxyAgent(cluster, proxyUrl, tls, maxSockets);
  if (cluster.server.startsWith('http:')) return new HttpAgent(pool);
  const { id: _, ...material } = tls;
  return new OneServerAgent({ ...pool, ...material });
}

/** All its requests are the same: Node would write certificates and keys into a pool's name for each of them. */
class OneServerAgent extends HttpsAgent {
  override getName(): string {
    return 'server';
  }
}

/** The loader knows HTTP, HTTPS and SOCKS proxies; only the keep-alive pool is ours. */
async function proxyAgent(
  cluster: Cluster,
  proxyUrl: string,
  tls: TlsMaterial,
  maxSockets: number,
): Promise<HttpAgent> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js');
  const loader = new KubeConfig();
  // The certificates go in through the options; http servers are allowed by us, not by the loader.
  const target = { name: '', server: cluster.server, proxyUrl, skipTLSVerify: !tls.rejectUnauthorized };
  loader.loadFromClusterAndUser(target, { name: '' });
  const { id: _, rejectUnauthorized, ...material } = tls;
  const options: { agent?: HttpAgent | HttpsAgent | false } & Record<string, unknown> = {
    ...material,
    ...(!rejectUnauthorized && { rejectUnauthorized }),
  };
  await loader.applyToHTTPSOptions(options as Parameters<typeof loader.applyToHTTPSOptions>[0]);
  const agent = options.agent as HttpAgent & { keepAlive: boolean; options: AgentOptions };
  agent.keepAlive = true;
  agent.options.keepAlive = true;
  agent.maxSockets = maxSockets;
  return agent;
}
