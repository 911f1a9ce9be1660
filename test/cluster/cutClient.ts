import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';

/** Where a run is cut off: before its nth write reaches the server, or after the server has done it. */
export interface Cut {
  readonly write: number;
  readonly when: 'before' | 'after';
}

export interface CutClient {
  readonly client: ClusterClient;
  /** Resolves when the cut was made. */
  readonly cut: Promise<void>;
}

const writes = ['apply', 'create', 'patch', 'delete'];

/**
 * A client that goes dead at one point: from then on no request leaves and none is answered, as after kill -9 of its process.
 * Dry-runs are no writes.
 */
export function cutClient(client: ClusterClient, { write, when }: Cut): CutClient {
  let count = 0;
  let isDead = false;
  let announce = (): void => undefined;
  const cut = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const never = new Promise<never>(() => undefined);
  const die = (): Promise<never> => {
    isDead = true;
    announce();
    return never;
  };
  const wrap = (target: ClusterClient): ClusterClient =>
    new Proxy(target, {
      get(object, name: string) {
        const member = Reflect.get(object, name) as unknown;
        if (typeof member !== 'function') return member;
        if (name === 'impersonate')
          return (...args: unknown[]) =>
            wrap((member as (...args: unknown[]) => ClusterClient).apply(object, args));
        return async (...args: unknown[]) => {
          if (isDead) return never;
          const isWrite =
            writes.includes(name) && !(name === 'apply' && (args[1] as { dryRun: boolean }).dryRun);
          const isCut = isWrite && ++count === write;
          if (isCut && when === 'before') return die();
          const answer: unknown = await (member as (...args: unknown[]) => unknown).apply(object, args);
          if (isCut || isDead) return die();
          return answer;
        };
      },
    });
  return { client: wrap(client), cut };
}
