import { isJsonObject, type JsonValue } from '../base/json.ts';
import { fluxKinds } from '../flux/kinds.gen.ts';
import { computeStatus } from '../kube/kstatus.ts';
import { formatRef, type KubeObject, refOf } from '../kube/object.ts';
import type { RunContext } from '../ssa/runContext.ts';
import { askInstallation, bootstrappedBy, managedBy } from './existingInstallation.ts';
import { refusedError } from './refusedError.ts';

/** One finding, in the order they are told. */
export interface CheckFinding {
  readonly group: 'prerequisites' | 'installation' | 'definitions';
  readonly state: 'passed' | 'warning' | 'failed';
  readonly message: string;
  readonly hint?: string;
}

/** What Flux 2.9 asks of the server. */
const oldestKubernetes = { major: 1, minor: 33 };

/** What the server and the installation say of themselves. Read-only. Throws only when the cluster cannot be asked at all. */
export async function checkInstallation(
  ctx: RunContext,
  namespace: string,
): Promise<readonly CheckFinding[]> {
  const prerequisites = [await checkKubernetes(ctx), ...(await checkRights(ctx, namespace))];
  const answer = await askInstallation(ctx, namespace);
  if (answer.type === 'hidden') {
    return [
      ...prerequisites,
      {
        group: 'installation',
        state: 'warning',
        message: `cannot be read: ${answer.what} ${formatRef(answer.ref)}: ${answer.refusal.message}`,
        hint: 'what Plumb may see is still shown; ask for the right to read definitions and Deployments to check more',
      },
    ];
  }
  const { installation } = answer;
  const { definition, controllers } = installation;
  if (definition === undefined) {
    return [
      ...prerequisites,
      {
        group: 'installation',
        state: 'failed',
        message: 'Flux is not installed: the definition of GitRepository is missing',
        hint: 'plumb bootstrap git sets everything up from a repository; plumb install puts the definitions there alone',
      },
    ];
  }
  const labels = definition.metadata.labels ?? {};
  const version = labels['app.kubernetes.io/version'];
  const manager = managedBy(installation);
  const owner = bootstrappedBy(installation);
  return [
    ...prerequisites,
    passed(
      'installation',
      `distribution: ${labels['app.kubernetes.io/part-of'] ?? 'unknown'}-${version ?? 'unknown'}${manager === undefined ? '' : `, managed by ${manager}`}`,
    ),
    passed('installation', `bootstrapped: ${owner === undefined ? 'false' : `true, by ${owner}`}`),
    ...versionFinding(version),
    ...(controllers.length === 0
      ? [passed('installation', `no controllers in ${namespace}: Plumb reconciles in local mode`)]
      : controllers.map((deployment) => checkController(ctx, deployment))),
    ...(await checkDefinitions(ctx)),
  ];
}

async function checkKubernetes(ctx: RunContext): Promise<CheckFinding> {
  const answer = await ctx.cluster.raw('/version', ctx.signal);
  if (answer.type === 'refused')
    throw refusedError({ group: '', version: 'v1', kind: 'Version', name: 'server' }, 'get', answer.refusal);
  const { gitVersion } = answer.value;
  const match = /^v?(\d+)\.(\d+)/.exec(String(gitVersion));
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])];
  const wanted = `${oldestKubernetes.major}.${oldestKubernetes.minor}`;
  const isNewEnough =
    major > oldestKubernetes.major || (major === oldestKubernetes.major && minor >= oldestKubernetes.minor);
  if (isNewEnough) return passed('prerequisites', `Kubernetes ${String(gitVersion)} >=${wanted}.0-0`);
  return {
    group: 'prerequisites',
    state: 'failed',
    message: `Kubernetes ${String(gitVersion)} is older than ${wanted}, which Flux 2.9 needs`,
    hint: 'upgrade the cluster, or stay with observe mode and the Flux version that fits it',
  };
}

/** What local mode writes with; looking works without. */
const neededRights = [
  { group: 'kustomize.toolkit.fluxcd.io', resource: 'kustomizations', verb: 'patch' },
  { group: 'coordination.k8s.io', resource: 'leases', verb: 'create' },
  { group: '', resource: 'serviceaccounts', verb: 'impersonate' },
] as const;

async function checkRights(ctx: RunContext, namespace: string): Promise<readonly CheckFinding[]> {
  const missing: string[] = [];
  for (const { group, resource, verb } of neededRights) {
    const review: KubeObject = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      metadata: { name: '' },
      spec: { resourceAttributes: { group, resource, verb, namespace } },
    };
    const answer = await ctx.cluster.create(review, { fieldManager: 'plumb' }, ctx.signal);
    const status = answer.type === 'ok' ? answer.value['status'] : undefined;
    if (!isJsonObject(status) || status['allowed'] !== true) missing.push(`${verb} ${resource}`);
  }
  if (missing.length === 0)
    return [passed('prerequisites', `rights for local mode in ${namespace}: all there`)];
  return [
    {
      group: 'prerequisites',
      state: 'warning',
      message: `rights for local mode in ${namespace}: missing ${missing.join(', ')}`,
      hint: 'looking and previewing work without; ask the administrator before switching to local mode',
    },
  ];
}

function versionFinding(version: string | undefined): readonly CheckFinding[] {
  const minor = Number(/^v2\.(\d+)\./.exec(version ?? '')?.[1]);
  if (version === undefined || (minor >= 7 && minor <= 9)) return [];
  return [
    {
      group: 'installation',
      state: 'warning',
      message: `Flux ${version} is not of the lines 2.7 to 2.9 that Plumb follows`,
      hint: 'previews may differ from what its controllers do; upgrade Flux, or use Plumb to look only',
    },
  ];
}

function checkController(ctx: RunContext, deployment: KubeObject): CheckFinding {
  const { status, message } = computeStatus(deployment, ctx.clock.now());
  const subject = `${formatRef(refOf(deployment))} (${imageOf(deployment)})`;
  const spec = isJsonObject(deployment['spec']) ? deployment['spec'] : {};
  if (spec['replicas'] === 0)
    return passed('installation', `${subject}: scaled to zero, handed over to Plumb`);
  if (status === 'Current') return passed('installation', `${subject}: ready`);
  return {
    group: 'installation',
    state: 'failed',
    message: `${subject}: ${message}`,
    hint: `kubectl -n ${deployment.metadata.namespace ?? ''} describe deployment ${deployment.metadata.name} tells more`,
  };
}

async function checkDefinitions(ctx: RunContext): Promise<readonly CheckFinding[]> {
  const kind = { group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' };
  const listed = await ctx.cluster.list(kind, {}, ctx.signal);
  if (listed.type === 'refused') throw refusedError({ ...kind, name: '*' }, 'list', listed.refusal);
  const byName = new Map(listed.value.map((object) => [object.metadata.name, object]));
  const findings: CheckFinding[] = [];
  const missing: string[] = [];
  let inOrder = 0;
  for (const { group, plural, version } of fluxKinds) {
    const definition = byName.get(`${plural}.${group}`);
    if (definition === undefined) {
      missing.push(plural);
      continue;
    }
    const finding = checkDefinition(ctx, definition, version);
    if (finding === undefined) inOrder++;
    else findings.push(finding);
  }
  if (missing.length > 0)
    findings.push({
      group: 'definitions',
      state: 'warning',
      message: `not installed: ${missing.join(', ')}`,
      hint: 'plumb install, or Flux with these components, adds them; objects of these kinds are refused until then',
    });
  return [passed('definitions', `${inOrder} of ${fluxKinds.length} in order`), ...findings];
}

function checkDefinition(ctx: RunContext, definition: KubeObject, version: string): CheckFinding | undefined {
  const { name } = definition.metadata;
  const { status, message } = computeStatus(definition, ctx.clock.now());
  if (status !== 'Current')
    return {
      group: 'definitions',
      state: 'failed',
      message: `${name}: ${message}`,
      hint: 'wait, then check again',
    };
  const stored = isJsonObject(definition['status']) ? definition['status']['storedVersions'] : undefined;
  const versions = Array.isArray(stored) ? (stored as readonly JsonValue[]).map(String) : [];
  const old = versions.filter((storedVersion) => storedVersion !== version);
  if (versions.includes(version) && old.length === 0) return undefined;
  return {
    group: 'definitions',
    state: versions.includes(version) ? 'warning' : 'failed',
    message: `${name}: stored as ${versions.join(', ') || 'nothing'}, Plumb follows ${version}`,
    hint: 'flux migrate rewrites objects stored in an old version',
  };
}

function imageOf(deployment: KubeObject): string {
  const spec = isJsonObject(deployment['spec']) ? deployment['spec'] : {};
  const template = isJsonObject(spec['template']) ? spec['template'] : {};
  const podSpec = isJsonObject(template['spec']) ? template['spec'] : {};
  const containers = Array.isArray(podSpec['containers'])
    ? (podSpec['containers'] as readonly JsonValue[])
    : [];
  const [container] = containers.filter(isJsonObject);
  return typeof container?.['image'] === 'string' ? container['image'] : 'no image';
}

function passed(group: CheckFinding['group'], message: string): CheckFinding {
  return { group, state: 'passed', message };
}
