import { setTimeout as delay } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { FileTree } from '../../src/base/fileTree.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/base/json.ts';
import { mapLimit } from '../../src/base/mapLimit.ts';
import { reconcileKustomization } from '../../src/controllers/kustomize/reconcileKustomization.ts';
import type { FetchedArtifact } from '../../src/flux/api/meta.gen.ts';
import { coreEvent } from '../../src/flux/events.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../src/kube/object.ts';
import { EventRecorder } from '../../src/ssa/eventRecorder.ts';
import { readySourceStatus, type ArtifactServer } from '../servers/artifactServer.ts';
import type { AgreementCase, AgreementStep } from './agreementCases.ts';
import type { FluxCluster } from './fluxCluster.ts';

/** What one step of a case left behind, without what no two runs have in common. */
export interface Snapshot {
  readonly kustomization: unknown;
  readonly objects: Readonly<Record<string, unknown>>;
}

/** A cluster on which one reconciler goes through the cases; the namespace has the same name on both. */
export interface Side {
  readonly flux: FluxCluster;
  readonly namespace: string;
  readonly artifacts: ArtifactServer;
}

/** One step of a case, and the token with which it asks to be reconciled. */
export interface Turn {
  readonly agreement: AgreementCase;
  readonly step: AgreementStep;
  readonly token: string;
}

/** Has the reconciler of a side handle the steps that were just made; resolves when all have settled. */
export type Reconcile = (turns: readonly Turn[]) => Promise<void>;

/** Four cases wait for half a minute each; the rest is how fast the machine is. */
const settleMs = 600_000;
const requestedAt = 'reconcile.fluxcd.io/requestedAt';
const revision = 'main@sha1:3333333333333333333333333333333333333333';
const group = 'kustomize.toolkit.fluxcd.io';
const kustomizationKind = { group, version: 'v1', kind: 'Kustomization' };

/** The case's Kustomization. */
export function kustomizationOf({ namespace }: Side, { name }: AgreementCase): ObjectRef {
  return { group, version: 'v1', kind: 'Kustomization', namespace, name };
}

/** Puts in place what the cases need before anything reconciles: their sources, and the objects that are there already. */
export async function prepare(side: Side, cases: readonly AgreementCase[]): Promise<void> {
  await mapLimit(cases, 4, async (agreement) => {
    await applyGiven(side, agreement, agreement.given ?? '');
    await publishSource(side, agreement);
  });
  await untilRightsHold(side);
}

/** Makes one step of a case: changes, then the Kustomization itself, with a token that its reconciler hands back. */
export async function makeStep(
  side: Side,
  agreement: AgreementCase,
  step: AgreementStep,
  token: string,
): Promise<void> {
  const { client } = side.flux;
  const ref = kustomizationOf(side, agreement);
  await applyGiven(side, agreement, step.given ?? '');
  for (const { object, manager, patch } of step.edits ?? []) {
    const target = filledIn(side, agreement, object) as unknown as ObjectRef;
    const answer = await client.patch(target, filledIn(side, agreement, patch), {
      type: 'merge',
      fieldManager: manager,
    });
    if (answer.type === 'refused') throw new Error(`${agreement.name}: ${answer.refusal.message}`);
  }
  if (step.deletes === true) {
    await client.delete(ref);
    return;
  }
  const spec = filledIn(side, agreement, step.spec ?? {});
  const annotations = { ...step.annotations, [requestedAt]: token };
  const body = { metadata: { annotations }, spec };
  const answer = await client.patch(ref, body, { type: 'merge', fieldManager: 'test' });
  if (answer.type === 'refused') throw new Error(`${agreement.name}: ${answer.refusal.message}`);
}

/** The Kustomization as the first step makes it. */
export async function create(side: Side, agreement: AgreementCase, token: string): Promise<void> {
  const { name, spec = {}, annotations = {}, finalizers = ['finalizers.fluxcd.io'] } = agreement;
  await side.flux.apply({
    apiVersion: `${group}/v1`,
    kind: 'Kustomization',
    metadata: {
      name,
      namespace: side.namespace,
      finalizers,
      annotations: { ...annotations, [requestedAt]: token },
    },
    spec: {
      interval: '1h',
      prune: true,
      path: './one',
      sourceRef: { kind: 'GitRepository', name },
      ...filledIn(side, agreement, spec),
    },
  } as KubeObject);
}

/** Plumb's reconciler: one run of each. */
export function plumbReconciler(side: Side): Reconcile {
  const { kustomize, client } = side.flux;
  const recorder = new EventRecorder(client, kustomize.clock, kustomize.log);
  const ctx = {
    ...kustomize,
    recordEvent: (event: Parameters<typeof coreEvent>[0]): void =>
      recorder.record(coreEvent(event, kustomize.clock.now(), process.hrtime.bigint())),
  };
  return async (turns) => {
    await mapLimit(turns, 16, ({ agreement }) =>
      // A failed deletion is thrown: the queue tries it again.
      reconcileKustomization(ctx, kustomizationOf(side, agreement)).catch((error: unknown) => {
        kustomize.log.warn('run failed', { error });
      }),
    );

    await recorder.flush();
  };
}

/** The real controller's: it has settled when it hands back the token, which it writes last, or the object is gone. */
export function controllerReconciler(side: Side): Reconcile {
  return async (turns) => {
    let open = turns;
    await untilHolds(
      async () => {
        const objects = new Map(
          (await listed(side, { ...kustomizationKind, isNamespaced: true })).map((object) => [
            object.metadata.name,
            object,
          ]),
        );
        const events = open.some(({ step }) => step.until !== undefined) ? await eventsOf(side) : undefined;
        open = open.filter(({ agreement, step, token }) => {
          const { until } = step;
          if (until !== undefined)
            return events?.get(agreement.name)?.some((text) => text.includes(until)) !== true;
          const object = objects.get(agreement.name);
          if (object === undefined) return false;
          const status = object['status'] as JsonObject | undefined;
          return step.deletes === true || status?.['lastHandledReconcileAt'] !== token;
        });
        return open.length === 0;
      },
      settleMs,
      () => `not settled: ${open.map(({ agreement, token }) => `${agreement.name} ${token}`).join(', ')}`,
    );
  };
}

export async function untilHolds(
  holds: () => Promise<boolean>,
  patienceMs: number,
  complaint: () => string,
): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await holds()); await delay(300))
    if (Date.now() > end) throw new Error(complaint());
}

/** Takes what is there now of each case. */
export async function snapshots(
  side: Side,
  cases: readonly AgreementCase[],
): Promise<ReadonlyMap<string, Snapshot>> {
  const kustomizations = new Map(
    (await listed(side, { ...kustomizationKind, isNamespaced: true })).map((object) => [
      object.metadata.name,
      kustomizationSnapshot(object),
    ]),
  );
  const objects = new Map(cases.map(({ name }) => [name, {} as Record<string, unknown>]));
  for (const kind of looked(side)) {
    for (const object of await listed(side, kind)) {
      // The namespace controller ends them when it gets to it.
      if (kind.kind === 'Namespace' && object.metadata.deletionTimestamp !== undefined) continue;
      const owner = cases.find((agreement) => belongsTo(side, agreement, object));
      const found = owner === undefined ? undefined : objects.get(owner.name);
      if (found !== undefined)
        found[`${kind.kind}/${object.metadata.name}`] = withoutNoise({
          ...object,
          apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
          kind: kind.kind,
        });
    }
  }
  return new Map(
    cases.map(({ name }) => [
      name,
      { kustomization: kustomizations.get(name) ?? 'gone', objects: objects.get(name) ?? {} },
    ]),
  );
}

async function listed(side: Side, kind: LookedKind): Promise<readonly KubeObject[]> {
  const answer = await side.flux.client.list(kind, kind.isNamespaced ? { namespace: side.namespace } : {});
  if (answer.type === 'refused') throw new Error(answer.refusal.message);
  return answer.value;
}

/** The events about Kustomizations by their name, sorted: `type reason component annotations message`. */
export async function eventsOf(side: Side): Promise<ReadonlyMap<string, readonly string[]>> {
  const events = new Map<string, readonly string[]>();
  const kind = { group: '', version: 'v1', kind: 'Event', isNamespaced: true };
  for (const event of await listed(side, kind)) {
    const involved = event['involvedObject'] as JsonObject;
    if (involved['kind'] !== 'Kustomization') continue;
    const source = event['source'] as JsonObject;
    const annotations = JSON.stringify(sorted(event.metadata.annotations ?? {}));
    const parts = [
      event['type'],
      event['reason'],
      source['component'],
      event['reportingComponent'],
      annotations,
    ];
    const text = `${parts.join(' ')} ${timeless(String(event['message']))}`;
    const name = String(involved['name']);
    events.set(name, [...new Set([...(events.get(name) ?? []), text])].sort());
  }
  return events;
}

/** The controller records its events behind its writes: waits until there are as many as expected, or time is up. */
export async function eventsWhen(
  side: Side,
  expected: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  for (let tries = 0; ; tries++) {
    const events = await eventsOf(side);
    const isThere = [...expected].every(([name, count]) => (events.get(name) ?? []).length >= count);
    if (isThere || tries === 120) return events;
    await delay(250);
  }
}

interface LookedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

function looked({ namespace }: Side): readonly LookedKind[] {
  const kind = (text: string, isNamespaced = true): LookedKind => {
    const [apiVersion = '', name = ''] = text.split(' ');
    const [version = '', of = ''] = apiVersion.split('/').reverse();
    return { group: of, version, kind: name, isNamespaced };
  };
  return [
    kind('v1 ConfigMap'),
    kind('v1 Secret'),
    kind('v1 Service'),
    kind('v1 ServiceAccount'),
    kind('apps/v1 Deployment'),
    kind('batch/v1 Job'),
    kind('batch/v1 CronJob'),
    kind('rbac.authorization.k8s.io/v1 Role'),
    kind('rbac.authorization.k8s.io/v1 RoleBinding'),
    kind(`${namespace}.example/v1 Widget`),
    kind('v1 Namespace', false),
    kind('rbac.authorization.k8s.io/v1 ClusterRole', false),
    kind('scheduling.k8s.io/v1 PriorityClass', false),
    kind('apiextensions.k8s.io/v1 CustomResourceDefinition', false),
  ];
}

/** Names of a case's objects start with its own; those of cluster-wide ones, with the namespace too. */
function belongsTo(
  { namespace }: Side,
  { name: caseName }: AgreementCase,
  { metadata }: KubeObject,
): boolean {
  const name = metadata.name.replace(`${namespace}-`, '');
  return name === caseName || name.startsWith(`${caseName}-`) || name.startsWith(`${caseName}s.`);
}

function kustomizationSnapshot(object: KubeObject): unknown {
  const { metadata, spec, status } = withoutNoise(object) as JsonObject & { readonly metadata: JsonObject };
  const { conditions = [], history = [], ...rest } = (status ?? {}) as Record<string, JsonValue | undefined>;
  return {
    metadata,
    spec,
    status: {
      ...rest,
      conditions: (conditions as JsonObject[]).map(
        ({ lastTransitionTime: _time, message, ...condition }) => ({
          ...condition,
          message: timeless(String(message)),
        }),
      ),
      history: (history as JsonObject[]).map(
        ({ firstReconciled: _a, lastReconciled: _b, lastReconciledDuration: _c, ...entry }) => entry,
      ),
    },
  };
}

/** Managers of the control plane, which write when they get to it. */
const otherManagers = /^(kube-controller-manager|kube-scheduler|kwok|apiserver|kubelet)/;

function withoutNoise(object: KubeObject): JsonObject {
  const { metadata, spec, ...rest } = object as unknown as JsonObject & {
    readonly metadata: JsonObject;
    readonly spec?: JsonObject;
  };
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _time,
    deletionTimestamp,
    managedFields = [],
    ...kept
  } = metadata as Record<string, JsonValue | undefined>;
  const managers = (managedFields as JsonObject[])
    .filter(({ manager }) => !otherManagers.test(String(manager)))
    .map(({ time: _at, ...entry }) => entry)
    .sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  const isFlux = String(object.apiVersion).includes('toolkit.fluxcd.io');
  const { status, ...body } = rest;
  const { clusterIP: _ip, clusterIPs: _ips, selector, template, ...specKept } = spec ?? {};
  const isJob = object.kind === 'Job';
  return {
    ...body,
    ...(isFlux && status !== undefined && { status }),
    ...(spec !== undefined && {
      spec: {
        ...specKept,
        ...(selector !== undefined && !isJob && { selector }),
        ...(template !== undefined && !isJob && { template }),
      },
    }),
    metadata: {
      ...kept,
      ...(deletionTimestamp !== undefined && { deletionTimestamp: 'set' }),
      managedFields: managers,
    },
  } as JsonObject;
}

/** Times differ; and upstream ends the message of every failed apply with a line break. */
function timeless(text: string): string {
  return text.trimEnd().replace(/\b(in|after) \d[\dhmsµn.]*s\b/g, '$1 TIME');
}

function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filledIn<T>({ namespace }: Side, { name }: AgreementCase, value: T): T {
  const text = JSON.stringify(value).replaceAll('the-ns', namespace).replaceAll('the-case', name);
  return JSON.parse(text) as T;
}

function filledInText({ namespace }: Side, { name }: AgreementCase, text: string): string {
  return text.replaceAll('the-ns', namespace).replaceAll('the-case', name);
}

async function applyGiven(side: Side, agreement: AgreementCase, yaml: string): Promise<void> {
  const documents = parseAllDocuments(filledInText(side, agreement, yaml));
  for (const document of documents) {
    const value: unknown = document.toJS();
    if (!isJsonObject(value)) continue;
    const { status, ...object } = value as unknown as KubeObject;
    const isFlux = object.apiVersion.includes('toolkit.fluxcd.io');
    const applied = await side.flux.apply(
      (isFlux || status === undefined ? object : { ...object, status }) as KubeObject,
    );
    if (!isFlux || status === undefined) continue;
    const answer = await side.flux.client.patch(
      refOf(applied),
      { status: status as JsonObject },
      { type: 'merge', fieldManager: 'test', subresource: 'status' },
    );
    if (answer.type === 'refused') throw new Error(answer.refusal.message);
  }
}

async function publishSource(side: Side, agreement: AgreementCase): Promise<void> {
  const { name, source = 'ready' } = agreement;
  if (source === 'missing') return;
  const { namespace, flux } = side;
  const object = await flux.apply({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name, namespace },
    spec: { url: 'https://git.example.org/fleet', interval: '1h' },
  } as KubeObject);
  if (source === 'without artifact') return;
  const files = FileTree.from(
    Object.entries(agreement.files).map(
      ([path, text]) => [path, filledInText(side, agreement, text)] as const,
    ),
  );
  const artifact = await side.artifacts.publish(
    `gitrepository/${namespace}/${name}/3.tar.gz`,
    revision,
    files,
  );
  const told =
    source === 'without archive' ? { ...artifact, url: `${side.artifacts.url}/nowhere.tar.gz` } : artifact;
  const path = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/${name}/status`;
  const answer = await flux.sandbox.request('PUT', path, {
    ...object,
    status: readySourceStatus(object, told),
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  if (source === 'without archive') return;
  const { digest } = artifact as unknown as FetchedArtifact;
  flux.sources.artifacts.set(refOf(object), { revision, digest, files, contentKey: '' });
}

/** The server learns of rights a moment after they were written, in their order: the last ones tell of all. */
async function untilRightsHold({ flux, namespace }: Side): Promise<void> {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'last' };
  const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }];
  const metadata = { name: 'last', namespace };
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'last' }];
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await flux.apply({ apiVersion, kind: 'Role', metadata, rules } as unknown as KubeObject);
  await flux.apply({ apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects } as unknown as KubeObject);
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user: 'last', resourceAttributes: { namespace, verb: 'get', resource: 'pods' } },
  };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  await untilHolds(
    async () => {
      const { body } = await flux.sandbox.request('POST', path, review);
      return (body['status'] as JsonObject | undefined)?.['allowed'] === true;
    },
    30_000,
    () => 'the rights do not hold',
  );
}
