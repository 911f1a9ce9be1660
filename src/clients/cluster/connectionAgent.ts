import { Agent as HttpAgent, type AgentOptions } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Cluster } from '@kubernetes/client-node/dist/config_types.js';
import type { ProxyChoice } from '../http/environmentProxy.ts';
import { openTunnel, type ProxyTls } from '../http/tunnel.ts';
import { tunnelFailure } from '../http/tunnelFailure.ts';
import { trustedAuthorities } from '../http/trustedAuthorities.ts';
import type { TlsMaterial } from './credentials.ts';
import { limitedBy } from './limitedSignal.ts';

/** TCP keep-alive probes find a dead peer even where nothing is sent. */
const keepAliveMs = 30_000;
/** How long a proxy may take until the way to the server is open. */
const tunnelMs = 30_000;

/** A pool of at most `maxSockets` keep-alive connections to the cluster, through its proxy when there is one. */
export function connectionAgent(
  cluster: Cluster,
  proxy: ProxyChoice | undefined,
  tls: TlsMaterial,
  maxSockets: number,
): HttpAgent {
  const pool: AgentOptions = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets, scheduling: 'lifo' };
  const { id: _, ...material } = tls;
  if (cluster.server.startsWith('http:'))
    return proxy === undefined
      ? new HttpAgent(pool)
      : new TunnelledHttpAgent(pool, tunnelsThrough(proxy, tls));
  const options = { ...pool, ...material };
  if (proxy === undefined) return new OneServerAgent(options);
  return new TunnelledHttpsAgent(options, tunnelsThrough(proxy, tls));
}

/** All its requests are the same: Node would write certificates and keys into a pool's name for each of them. */
class OneServerAgent extends HttpsAgent {
  override getName(): string {
    return 'server';
  }
}

type Connected = (error: Error | null, socket: Duplex) => void;

class TunnelledHttpsAgent extends OneServerAgent {
  readonly #tunnels: Tunnels;

  constructor(options: AgentOptions, tunnels: Tunnels) {
    super(options);
    this.#tunnels = tunnels;
  }

  override createConnection(options: object, connected?: Connected): undefined {
    const secured = (socket: Socket): Socket =>
      super.createConnection({ ...options, socket } as object) as Socket;
    tell(this.#tunnels.open(options).then(secured), connected);
  }

  override destroy(): void {
    this.#tunnels.close();
    super.destroy();
  }
}

class TunnelledHttpAgent extends HttpAgent {
  readonly #tunnels: Tunnels;

  constructor(options: AgentOptions, tunnels: Tunnels) {
    super(options);
    this.#tunnels = tunnels;
  }

  override createConnection(options: object, connected?: Connected): undefined {
    tell(this.#tunnels.open(options), connected);
  }

  override destroy(): void {
    this.#tunnels.close();
    super.destroy();
  }
}

/** As Node wants it: after an error nobody looks for a socket. */
function tell(opened: Promise<Socket>, connected: Connected | undefined): void {
  opened.then(
    (socket) => connected?.(null, socket),
    (error: unknown) => connected?.(error as Error, undefined as never),
  );
}

/** Ways through one proxy. `close` ends those that are being opened. */
interface Tunnels {
  open(options: { readonly host?: string; readonly port?: number }): Promise<Socket>;
  close(): void;
}

function tunnelsThrough({ url }: ProxyChoice, tls: TlsMaterial): Tunnels {
  const closed = new AbortController();
  const { cert, key, rejectUnauthorized } = tls;
  const proxyTls: ProxyTls = {
    // kubectl has the proxy's certificate checked against the cluster's authority; most are signed by another.
    ca: [...trustedAuthorities(), ...(tls.ca ?? [])],
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized,
  };
  return {
    async open({ host = '', port = 0 }) {
      const opening = limitedBy(tunnelMs, closed.signal);
      try {
        return await openTunnel(url, { host, port }, proxyTls, opening.signal);
      } catch (error) {
        if (!opening.isTimedOut()) throw error;
        throw tunnelFailure('unreachable', new Error(`no answer within ${tunnelMs / 1000} s`));
      } finally {
        opening.dispose();
      }
    },
    close: () => closed.abort(),
  };
}
