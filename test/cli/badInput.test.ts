import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { isJsonObject, type JsonObject } from '../../src/base/json.ts';
import { sandboxFolder } from '../../src/clients/sandbox/sandboxFolder.ts';
import { ownSandboxCluster } from '../cluster/sandboxCluster.ts';
import { runGit } from '../servers/gitRepository.ts';
import { type Run, runPlumb, writeKubeconfig } from './plumbProcess.ts';

const cluster = await ownSandboxCluster();
const folder = mkdtempSync(join(tmpdir(), 'plumb-bad-'));
after(() => rmSync(folder, { recursive: true }));
const repository = join(folder, 'fleet');
/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:1';
const authority = readFileSync(sandboxFolder(dirname(cluster.kubeconfig)).authorityCertificate);
const authorityData = authority.toString('base64');

/** A mistake, what plumb answers to it, and how it ends. */
interface Case {
  readonly name: string;
  readonly args: readonly string[];
  /** The sandbox's administrator when absent. */
  readonly kubeconfig?: string;
  /** Files of the repository for this case alone. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly code: number;
  /** What stands on stderr or, for plans, on stdout: the object or place, the code and the remedy. */
  readonly says: RegExp;
  /** What plumb get says on stderr with the same access; nothing when absent. */
  readonly getSays?: RegExp;
}

const configMap = (name: string, color = 'blue'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop }\ndata: { color: ${color} }\n`;
const source = {
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'GitRepository',
  metadata: { name: 'fleet', namespace: 'flux-system' },
  spec: { interval: '10m', url: `${nowhere}/fleet.git`, ref: { branch: 'main' } },
};
const kustomization = (name: string, path: string): object => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name, namespace: 'flux-system' },
  spec: { interval: '10m', path, prune: true, sourceRef: { kind: 'GitRepository', name: 'fleet' } },
});
const baseFiles: Readonly<Record<string, string>> = {
  'apps.yaml': JSON.stringify(kustomization('apps', './apps')),
  'gone.yaml': JSON.stringify(kustomization('gone', './not/here')),
  'apps/kustomization.yaml': 'resources: [settings.yaml]\n',
  'apps/settings.yaml': configMap('settings', 'red'),
};

function plumb(kubeconfig: string, ...args: readonly string[]): Run {
  return runPlumb(args, { cwd: repository, env: { KUBECONFIG: kubeconfig, HOME: folder } });
}

function writeFiles(files: Case['files'] = {}): void {
  rmSync(join(repository, 'apps'), { recursive: true, force: true });
  mkdirSync(join(repository, 'apps'), { recursive: true });
  for (const [path, content] of Object.entries({ ...baseFiles, ...files }))
    writeFileSync(join(repository, path), content);
}

const coreKinds: readonly string[] = [
  '/api/v1/namespaces',
  '/api/v1/configmaps',
  '/api/v1/secrets',
  '/apis/apps/v1/deployments',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/coordination.k8s.io/v1/namespaces/flux-system/leases',
];
const fluxKinds: readonly string[] = [
  '/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations',
  '/apis/source.toolkit.fluxcd.io/v1/gitrepositories',
];
/** What a command could write: asked before and after. */
let written = coreKinds;

/** The control plane writes its own whenever it comes to it. */
function isNotOfTheSystem({ metadata }: JsonObject): boolean {
  const { namespace, name } = metadata as JsonObject;
  return name !== 'kube-root-ca.crt' && !String(namespace).startsWith('kube-');
}

/** Every object of the kinds that a command could write, with its resourceVersion. */
async function stateOfCluster(): Promise<readonly string[]> {
  const lists = await Promise.all(written.map((path) => cluster.request('GET', path)));
  return lists.flatMap(({ body }, index) => {
    const items = Array.isArray(body['items'])
      ? (body['items'] as unknown[]).filter(isJsonObject).filter(isNotOfTheSystem)
      : [];
    return items.map(({ metadata }) => {
      const { namespace, name, resourceVersion } = metadata as JsonObject;
      return `${written[index] ?? ''} ${String(namespace)}/${String(name)} ${String(resourceVersion)}`;
    });
  });
}

function accessWith(name: string, user: Readonly<Record<string, unknown>>): string {
  const access = { server: cluster.server, 'certificate-authority-data': authorityData };
  return writeKubeconfig(join(folder, name), access, user);
}

async function bindView(path: string, kind: string, user: string): Promise<void> {
  const { status, body } = await cluster.request('POST', `/apis/rbac.authorization.k8s.io/v1/${path}`, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { generateName: 'view-' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
  assert.equal(status, 201, JSON.stringify(body));
  // A controller gathers the rules of the role, those of Flux among them.
  const group = 'kustomize.toolkit.fluxcd.io';
  await cluster.untilAllowed(user, { verb: 'list', resource: 'kustomizations', group });
}

before(async () => {
  mkdirSync(repository);
  writeFiles();
  await runGit(repository, ['init', '--quiet', '-b', 'main']);
  await runGit(repository, ['remote', 'add', 'origin', source.spec.url]);
  writeFileSync(join(folder, 'not-yaml'), 'apiVersion: v1\nkind: [\n');
});

function check(cases: readonly Case[]): void {
  for (const { name, args, kubeconfig = cluster.kubeconfig, files, code, says, getSays } of cases) {
    test(`${name}: plumb ${args.join(' ')}`, async () => {
      writeFiles(files);
      const before = await stateOfCluster();
      const run = plumb(kubeconfig, ...args);
      const list = plumb(kubeconfig, 'get', 'workloads');
      assert.equal(run.code, code, run.err);
      assert.match(`${run.out}${run.err}`, says);
      assert.equal(list.code, 0, list.err);
      assert.match(list.out, /^Kustomization +flux-system +apps +/m);
      if (getSays === undefined) assert.equal(list.err, '');
      else assert.match(list.err, getSays);
      assert.deepEqual(await stateOfCluster(), before, 'the cluster was changed');
    });
  }
}

const diff = ['diff', 'kustomization', 'apps'] as const;
const reader = join(folder, 'reader');
const tenant = join(folder, 'tenant');
const tenantSees =
  /kustomizations\.kustomize\.toolkit\.fluxcd\.io is forbidden: User "tenant" .*; looked only in shop\n {2}\S/;

check([
  {
    name: 'definitions missing',
    args: ['suspend', 'kustomization', 'apps'],
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be suspended: no matches for kind "Kustomization".*\n {2}.*plumb install/,
  },
  {
    name: 'definitions missing',
    args: ['reconcile', 'kustomization', 'apps'],
    code: 2,
    says: /Kustomization\/flux-system\/apps: .*no matches for kind "Kustomization".*\n {2}.*plumb install/,
  },
  {
    name: 'definitions missing',
    args: ['watch', '--local', '--until-ready'],
    code: 2,
    says: /Lease\/flux-system\/.*namespaces "flux-system" not found.*\n {2}.*plumb install/,
  },
  { name: 'definitions missing', args: ['events'], code: 0, says: /^no events of Flux objects\n$/ },
]);

test('from here on Flux is installed, and the Kustomizations are in the cluster', async () => {
  assert.equal(plumb(cluster.kubeconfig, 'install', '--yes').code, 0);
  const kustomizations =
    '/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations' as const;
  for (const [path, body] of [
    ['/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }],
    ['/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories', source],
    [kustomizations, kustomization('apps', './apps')],
    [kustomizations, kustomization('gone', './not/here')],
  ] as const) {
    const answer = await cluster.request('POST', path, body);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
  }
  const readerConfig = await cluster.userKubeconfig({ userName: 'reader', namespace: 'shop' });
  await bindView('clusterrolebindings', 'ClusterRoleBinding', 'reader');
  const tenantConfig = await cluster.userKubeconfig({
    userName: 'tenant',
    namespace: 'shop',
    clusterRole: 'view',
  });
  copyFileSync(readerConfig, reader);
  copyFileSync(tenantConfig, tenant);
  written = [...coreKinds, ...fluxKinds];
});

check([
  {
    name: 'no kubeconfig',
    args: diff,
    kubeconfig: join(folder, 'none'),
    code: 2,
    says: /no kubeconfig: \S+none does not exist \(KubeconfigInvalid\)\n {2}set KUBECONFIG/,
    getSays: /none does not exist; showing the files alone/,
  },
  {
    name: 'a kubeconfig that is no YAML',
    args: diff,
    kubeconfig: join(folder, 'not-yaml'),
    code: 2,
    says: /not-yaml: line \d: .*\(KubeconfigInvalid\)\n {2}kubectl config view/,
    getSays: /not-yaml: line \d: .*; showing the files alone/,
  },
  {
    name: 'nobody listens',
    args: diff,
    kubeconfig: writeKubeconfig(join(folder, 'dead'), { server: 'https://127.0.0.1:1' }),
    code: 4,
    says: /https:\/\/127\.0\.0\.1:1 \(context c\): .*\(ClusterUnreachable\)\n {2}nothing listens there/,
    getSays: /https:\/\/127\.0\.0\.1:1 .*; showing the files alone/,
  },
  ...(
    [
      ['suspend', 'kustomization', 'apps'],
      ['resume', 'kustomization', 'apps'],
      ['reconcile', 'kustomization', 'apps'],
      ['apply', 'kustomization', 'apps', '--yes'],
      ['prune', 'kustomization', 'apps', '--yes'],
      ['watch', '--local', '--until-ready'],
    ] as const
  ).map((args) => ({
    name: 'nobody listens',
    args,
    kubeconfig: join(folder, 'dead'),
    code: 4,
    says: /https:\/\/127\.0\.0\.1:1 .*\(ClusterUnreachable\)\n {2}nothing listens there/,
    getSays: /https:\/\/127\.0\.0\.1:1 .*; showing the files alone/,
  })),
  {
    name: 'wrong context',
    args: [...diff, '--context', 'prod'],
    code: 2,
    says: /context "prod" does not exist \(KubeconfigInvalid\)\n {2}choose one of: sandbox/,
  },
  {
    name: 'expired token',
    args: diff,
    kubeconfig: accessWith('expired', { token: 'expired' }),
    code: 2,
    says: /127\.0\.0\.1:\d+ \(context c\): Unauthorized \(AuthenticationFailed\)\n {2}log in again/,
    getSays: /Unauthorized; showing the files alone/,
  },
  {
    name: 'a certificate nobody vouches for',
    args: diff,
    kubeconfig: writeKubeconfig(join(folder, 'tls'), { server: cluster.server }),
    code: 4,
    says: /\(ClusterUnreachable\)\n {2}the server's certificate is not trusted: correct certificate-authority/,
    getSays: /unable to verify the first certificate.*; showing the files alone/,
  },
  {
    name: 'unreachable Git',
    args: ['bootstrap', 'git', '--url', `${nowhere}/x.git`, '--dry-run'],
    code: 4,
    says: /http:\/\/127\.0\.0\.1:1\/x\.git: git ls-remote: .*\(GitOperationFailed\)\n {2}check the address/,
  },
  {
    name: 'a source that was never fetched',
    args: [...diff, '--from', 'source'],
    code: 3,
    says: /GitRepository\/flux-system\/fleet: has no artifact yet \(ArtifactNotFound\)\n {2}reconcile it first/,
  },
  {
    name: 'a binary file',
    args: diff,
    files: { 'apps/settings.yaml': Uint8Array.from([0, 255, 254, 1, 2]) },
    code: 2,
    says: /apps\/settings\.yaml:1:1: .*is not UTF-8 text \(BuildFailed\)\n {2}a binary file can be content/,
  },
  {
    name: 'a file that is no YAML',
    args: diff,
    files: { 'apps/settings.yaml': 'a: [\n' },
    code: 2,
    says: /apps\/settings\.yaml:2:1: .*a list or mapping in brackets is not closed \(BuildFailed\)/,
  },
  {
    name: 'a file that is no YAML',
    args: ['apply', 'kustomization', 'apps', '--yes'],
    files: { 'apps/settings.yaml': 'a: [\n' },
    code: 2,
    says: /apps\/settings\.yaml:2:1: .*is not closed \(BuildFailed\)/,
  },
  {
    name: 'an object twice',
    args: diff,
    files: {
      'apps/kustomization.yaml': 'resources: [settings.yaml, again.yaml]\n',
      'apps/again.yaml': configMap('settings'),
    },
    code: 2,
    says: /apps\/again\.yaml:1:1: .*ConfigMap shop\/settings is there twice \(also in apps\/settings\.yaml\).*\n {2}remove one/,
  },
  {
    name: 'a path that is not there',
    args: ['diff', 'kustomization', 'gone'],
    code: 2,
    says: /path not found: \.\/not\/here.*\(InvalidPath\)\n {2}correct spec\.path of Kustomization\/flux-system\/gone/,
  },
  {
    name: 'a file that is not there',
    args: diff,
    files: { 'apps/kustomization.yaml': 'resources: [nope.yaml]\n' },
    code: 2,
    says: /apps\/kustomization\.yaml:1:13: .*there is no file nope\.yaml \(BuildFailed\)/,
  },
  {
    name: 'a definition that is not there',
    args: diff,
    files: {
      'apps/settings.yaml':
        'apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: w, namespace: shop }\n',
    },
    code: 2,
    says: /Widget\/shop\/w refused {2}apps\/settings\.yaml:1\n {4}no matches for kind "Widget".*\n {4}install the CustomResourceDefinition of Widget/,
  },
  {
    name: 'a user who may only read',
    args: diff,
    kubeconfig: reader,
    code: 1,
    says: /ConfigMap\/shop\/settings created.*\n +approximate: this identity may not dry-run/,
  },
  {
    name: 'a user who may only read',
    args: ['apply', 'kustomization', 'apps', '--yes'],
    kubeconfig: reader,
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be overridden: .*\(AccessDenied\)\n {2}the right to patch/,
  },
  {
    name: 'a user who may only read',
    args: ['watch', '--local', '--until-ready'],
    kubeconfig: reader,
    code: 2,
    says: /Lease flux-system\/\S+ and \d more cannot be read \(AccessDenied\)\n {2}what cannot be read counts as held/,
  },
  {
    name: 'a user who may only read',
    args: ['suspend', 'kustomization', 'apps'],
    kubeconfig: reader,
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be suspended: .*User "reader" cannot patch.*\(AccessDenied\)\n {2}the right to patch/,
  },
  {
    name: 'a user who may only read',
    args: ['reconcile', 'kustomization', 'apps'],
    kubeconfig: reader,
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be asked to reconcile: .*\(AccessDenied\)\n {2}the right to patch/,
  },
  {
    name: 'a user who may only read',
    args: ['resume', 'kustomization', 'apps'],
    kubeconfig: reader,
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be resumed: .*User "reader" cannot patch.*\(AccessDenied\)\n {2}the right to patch/,
  },
  {
    name: 'a user who may only read',
    args: ['uninstall', '--yes'],
    kubeconfig: reader,
    code: 2,
    says: /\(AccessDenied\)\n {2}\S/,
  },
  {
    name: 'a user who may only read',
    args: ['install', '--yes'],
    kubeconfig: reader,
    code: 2,
    says: /CustomResourceDefinition\/\S+: get refused \(Forbidden\): .*\(AccessDenied\)\n {2}this needs rights/,
  },
  {
    name: 'a viewer of one namespace',
    args: diff,
    kubeconfig: tenant,
    code: 2,
    says: /Kustomization\/flux-system\/apps: cannot be read: .*User "tenant" cannot get.*\(AccessDenied\)\n {2}ask for/,
    getSays: tenantSees,
  },
  {
    name: 'a viewer of one namespace',
    args: ['events'],
    kubeconfig: tenant,
    code: 2,
    says: /events of namespace flux-system cannot be read: .*\(AccessDenied\)\n {2}ask for/,
    getSays: tenantSees,
  },
  {
    name: 'a viewer of one namespace',
    args: ['events', '-n', 'shop'],
    kubeconfig: tenant,
    code: 0,
    says: /^no events of Flux objects\n$/,
    getSays: tenantSees,
  },
  {
    name: 'a viewer of one namespace',
    args: ['tree', 'kustomization', 'apps'],
    kubeconfig: tenant,
    code: 0,
    says: /^Kustomization\/flux-system\/apps\n└── ConfigMap\/shop\/settings\n/,
    getSays: tenantSees,
  },
]);

test('with the right cluster, rights and files the next try of each succeeds', () => {
  writeFiles();
  for (const args of [
    ['suspend', 'kustomization', 'apps'],
    ['resume', 'kustomization', 'apps'],
    ['apply', 'kustomization', 'apps', '--yes'],
    ['events'],
  ])
    assert.deepEqual([args, plumb(cluster.kubeconfig, ...args).code], [args, 0]);
});

test('a source that cannot be reached ends its run with address and cause, and no workload is touched', async () => {
  const watched = written.filter((path) => !/gitrepositories|leases/.test(path));
  written = watched;
  const before = await stateOfCluster();
  const run = plumb(cluster.kubeconfig, 'reconcile', 'gitrepository', 'fleet', '--local');
  assert.equal(run.code, 4);
  assert.match(run.out, /GitRepository\/flux-system\/fleet GitOperationFailed: .*http:\/\/127\.0\.0\.1:1/);
  assert.deepEqual(await stateOfCluster(), before);
});
