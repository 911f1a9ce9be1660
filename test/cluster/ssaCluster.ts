import { randomBytes } from 'node:crypto';
import { after } from 'node:test';
import type { JsonObject } from '../../src/base/json.ts';
import { sha256Digest } from '../../src/base/digest.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { ClusterClient } from '../../src/clients/cluster/clusterClient.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { systemClock } from '../../src/engine/systemClock.ts';
import type { BuiltObject } from '../../src/kube/builtObject.ts';
import { formatRef, type KubeObject, refOf } from '../../src/kube/object.ts';
import { parsePlainYaml } from '../../src/kube/plainYaml.ts';
import { applyPlan, type ApplyOptions } from '../../src/ssa/applyPlan.ts';
import type { PlanOptions } from '../../src/ssa/applyPolicy.ts';
import { normalizeObject } from '../../src/ssa/normalize.ts';
import { ownerLabels, type Owner } from '../../src/ssa/owner.ts';
import type { Action, ChangeSet, Desired, Inventory, Plan } from '../../src/ssa/plan.ts';
import { planApply } from '../../src/ssa/planApply.ts';
import type { RunContext } from '../../src/ssa/runContext.ts';
import { sandboxCluster, type SandboxCluster } from './sandboxCluster.ts';

/** A namespace of the sandbox with an owner of its own, and the calls that a controller would make there. */
export interface Playground {
  readonly ctx: RunContext;
  readonly sandbox: SandboxCluster;
  readonly namespace: string;
  readonly owner: Owner;
  /** What a build of that YAML is: each document normalised, with the owner's labels; `$NS` stands for the namespace. */
  desired(yaml: string): Desired;
  plan(desired: Desired, options?: Partial<PlanOptions>, inventory?: Inventory): Promise<Plan>;
  /** Plans and applies, unattended. */
  run(desired: Desired, options?: Partial<ApplyOptions>): Promise<ChangeSet>;
  apply(plan: Plan, options?: Partial<ApplyOptions>): Promise<ChangeSet>;
  /** What the server holds, by kind and name in the namespace. */
  live(apiVersion: string, kind: string, name: string): Promise<KubeObject>;
  /** As another program would: an Update or Apply by that manager. */
  actAs(
    manager: string,
    object: KubeObject,
    patch: JsonObject,
    subresource?: 'scale' | 'status',
  ): Promise<KubeObject>;
}

let client: ClusterClient | undefined;

/**
 * A client of the sandbox's administrator, closed after the file's tests. Call it at the top of a test file. `open` chooses
 * the sandbox: the shared one, or the file's own where what other files do to the cluster would change the result.
 */
export async function ssaCluster(open: () => Promise<SandboxCluster> = sandboxCluster): Promise<{
  readonly sandbox: SandboxCluster;
  readonly client: ClusterClient;
  playground(): Promise<Playground>;
}> {
  const sandbox = await open();
  client ??= await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
  const opened = client;
  after(() => opened.close());
  return {
    sandbox,
    client: opened,
    playground: async () => playgroundIn(sandbox, opened, await sandbox.freshNamespace()),
  };
}

/** A context for runs with that client. */
export function runContext(cluster: ClusterClient, signal = new AbortController().signal): RunContext {
  return { cluster, clock: systemClock, log: silentLogger, signal };
}

/** The owner that the tests apply as. */
export function testOwner(namespace: string, name = `ks-${randomBytes(3).toString('hex')}`): Owner {
  return {
    fieldManager: 'kustomize-controller',
    group: 'kustomize.toolkit.fluxcd.io',
    object: { namespace, name },
  };
}

/** The documents of a YAML text. */
export function objectsOf(yaml: string): readonly KubeObject[] {
  return yaml
    .split(/^---$/m)
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const parsed = parsePlainYaml(text);
      if ('problem' in parsed) throw new Error(`${parsed.problem} in ${text}`);
      return parsed.value as KubeObject;
    });
}

/** A build of these objects on behalf of the owner. Its origins name the object's place in the list. */
export function desiredOf(objects: readonly KubeObject[], owner: Owner): Desired {
  return { objects: objects.map((object) => builtFrom(object, owner)), checksum: sha256Digest('test') };
}

function builtFrom(object: KubeObject, owner: Owner): BuiltObject {
  const labels = { ...object.metadata.labels, ...ownerLabels(owner) };
  const stamped = { ...object, metadata: { ...object.metadata, labels } };
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
  const originAt = (pointer: string) => ({ path: `${formatRef(refOf(object))}${pointer}`, range });
  return { object: normalizeObject(stamped).object, origins: { at: originAt, entries: () => [] } };
}

/** Nothing to record: for tests that look at the objects alone. */
export const noInventory: ApplyOptions['inventory'] = {
  beforeStage: () => Promise.resolve(),
  changed: () => undefined,
};

/** `Kind/name action` of each entry. */
export function actionsOf(
  entries: readonly { readonly ref: { kind: string; name: string }; readonly action: Action }[],
): readonly string[] {
  return entries.map(({ ref, action }) => `${ref.kind}/${ref.name} ${action}`);
}

function playgroundIn(sandbox: SandboxCluster, cluster: ClusterClient, namespace: string): Playground {
  const ctx = runContext(cluster);
  const owner = testOwner(namespace);
  const live = async (apiVersion: string, kind: string, name: string): Promise<KubeObject> => {
    const ref = refOf({ apiVersion, kind, metadata: { name, namespace } });
    const answer = await cluster.get(ref);
    if (answer.type === 'refused') throw new Error(answer.refusal.message);
    return answer.value;
  };
  const apply = (plan: Plan, options: Partial<ApplyOptions> = {}): Promise<ChangeSet> =>
    applyPlan(ctx, plan, { owner, approval: 'unattended', inventory: noInventory, ...options });
  return {
    ctx,
    sandbox,
    namespace,
    owner,
    live,
    apply,
    desired: (yaml) => desiredOf(objectsOf(yaml.replaceAll('$NS', namespace)), owner),
    plan: (desired, options = {}, inventory = []) =>
      planApply(ctx, desired, inventory, { owner, ...options }),
    run: async (desired, options = {}) =>
      apply(await planApply(ctx, desired, [], { owner, ...options }), options),
    async actAs(manager, object, patch, subresource) {
      const options = { type: 'merge', fieldManager: manager, ...(subresource && { subresource }) } as const;
      const answer = await cluster.patch(refOf(object), patch, options);
      if (answer.type === 'refused') throw new Error(answer.refusal.message);
      return answer.value;
    },
  };
}
