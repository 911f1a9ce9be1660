import type { JsonObject } from '../../src/base/json.ts';

/** One change to a case and a run after it. */
export interface AgreementStep {
  /** YAML of objects that come into the cluster by hand before. */
  readonly given?: string;
  /** What others do to objects before, each under a field manager of its own. */
  readonly edits?: readonly {
    readonly object: JsonObject;
    readonly manager: string;
    readonly patch: JsonObject;
  }[];
  /** Merged into the spec. */
  readonly spec?: JsonObject;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The Kustomization is deleted. */
  readonly deletes?: true;
  /** Part of the event that the step ends with, where neither a status nor the end of the object tells. */
  readonly until?: string;
}

/** Something odd that happens to a Kustomization. `the-ns` and `the-case` stand for its namespace and name in every text. */
export interface AgreementCase extends AgreementStep {
  readonly name: string;
  /** Of the source's artifact; spec.path is ./one. */
  readonly files: Readonly<Record<string, string>>;
  readonly source?: 'ready' | 'missing' | 'without artifact' | 'without archive';
  readonly finalizers?: readonly string[];
  readonly then?: readonly AgreementStep[];
}

function configMap(name: string, body = 'data: {a: "1"}', metadata = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: the-ns\n${metadata}${body}\n`;
}

function widget(name: string, body = 'spec: {size: 1}', metadata = ''): string {
  return `apiVersion: the-ns.example/v1\nkind: Widget\nmetadata:\n  name: ${name}\n  namespace: the-ns\n${metadata}${body}\n`;
}

const plain = { 'one/a.yaml': configMap('the-case-a') };
const annotated = (key: string, value: string): string =>
  `  annotations: {kustomize.toolkit.fluxcd.io/${key}: ${value}}\n`;
const labelled = (key: string, value: string): string =>
  `  labels: {kustomize.toolkit.fluxcd.io/${key}: ${value}}\n`;
const mapRef = (name: string): JsonObject => ({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  namespace: 'the-ns',
  name,
});

function account(name: string, rules: string): string {
  return `apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: the-ns}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ${name}, namespace: the-ns}
rules: ${rules}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ${name}, namespace: the-ns}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${name}}
subjects: [{kind: ServiceAccount, name: ${name}, namespace: the-ns}]
`;
}

function dependency(status: string): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: the-case-dep, namespace: the-ns}
spec: {interval: 1h, prune: true, suspend: true, sourceRef: {kind: GitRepository, name: the-case}}
status: ${status}
`;
}
const condition = (status: string): string =>
  `{type: Ready, status: "${status}", reason: Told, message: told, lastTransitionTime: "2026-01-02T03:04:05Z"}`;

/** Where both fail in the same place, each in words of its own: Plumb's name the file in Git, upstream's a folder of its pod. */
export const ownWords: ReadonlySet<string> = new Set(
  `
  account-gone account-missing account-powerless broken-root broken-yaml checks-no-kind component-missing delete-after-failure
  delete-failed-build duplicates expr-broken expr-undeclared generate-name health-expr-broken health-expr-error ignore-broken
  keys-broken kubeconfig-broken kubeconfig-map-empty kubeconfig-map-missing kubeconfig-map-odd kubeconfig-missing
  kubeconfig-no-key kubeconfig-wrong-key missing-resource no-api-version no-kind not-base64 patch-bad-path patch-broken
  patch-no-target path-missing scalar-yaml ssa-values substitute-breaks substitute-missing suspended-later two-root-files
  unknown-nested-field wrong-replicas wrong-types
`
    .trim()
    .split(/\s+/),
);

/** Where Plumb differs on purpose, and why. */
export const knownDifferences: Readonly<Record<string, string>> = {
  'encrypted-alone':
    'upstream takes the sops block off a Secret before it looks for one, and applies it; Plumb refuses the Secret',
  'partial-stages': 'what was written before a failure is in the inventory: upstream forgets it',
  'path-is-file':
    'spec.path that names a file is a path that is no folder; upstream finds out while it builds',
  'with-version': 'an object that was created is called created; upstream says configured',
};

const twoFolders = {
  'one/a.yaml': configMap('the-case-a'),
  'one/b.yaml': configMap('the-case-b'),
  'two/a.yaml': configMap('the-case-a'),
};

const builds: readonly AgreementCase[] = [
  { name: 'plain', files: plain },
  { name: 'no-finalizer', files: plain, finalizers: [], until: 'Reconciliation finished' },
  {
    name: 'event-annotations',
    files: plain,
    annotations: { 'event.toolkit.fluxcd.io/team': 'web', 'event.toolkit.fluxcd.io/revision': 'mine' },
  },
  {
    name: 'target-namespace',
    files: {
      'one/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-a, namespace: other}\n',
    },
    spec: { targetNamespace: 'the-ns' },
  },
  {
    name: 'common-metadata',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', '  labels: {team: a}\n') },
    spec: {
      commonMetadata: {
        labels: { team: 'b', 'kustomize.toolkit.fluxcd.io/name': 'other' },
        annotations: { note: 'x' },
      },
    },
    then: [{ spec: { commonMetadata: null } }],
  },
  {
    name: 'prefix',
    files: {
      'one/kustomization.yaml': 'namePrefix: lost-\nnamespace: the-ns\nresources: [a.yaml]\n',
      'one/a.yaml': configMap('a'),
    },
    spec: { namePrefix: 'the-case-', nameSuffix: '-end' },
  },
  {
    name: 'patches',
    files: plain,
    spec: {
      patches: [
        { patch: '- {op: add, path: /data/b, value: "2"}', target: { kind: 'ConfigMap', name: '.*-a' } },
        {
          patch: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-a}\ndata: {a: null, c: "3"}\n',
          target: { kind: 'ConfigMap' },
        },
      ],
    },
  },
  {
    name: 'patch-no-target',
    files: plain,
    spec: {
      patches: [{ patch: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: nobody}\ndata: {a: b}\n' }],
    },
  },
  {
    name: 'patch-broken',
    files: plain,
    spec: { patches: [{ patch: 'a: [', target: { kind: 'ConfigMap' } }] },
  },
  {
    name: 'patch-bad-path',
    files: plain,
    spec: {
      patches: [{ patch: '- {op: remove, path: /data/zzz}', target: { kind: 'ConfigMap' } }],
    },
  },
  {
    name: 'patch-deletes',
    files: { ...plain, 'one/b.yaml': configMap('the-case-b') },
    spec: {
      patches: [
        {
          patch:
            'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-b, namespace: the-ns}\n$patch: delete\n',
        },
      ],
    },
  },
  {
    name: 'components',
    files: {
      ...plain,
      'one/part/kustomization.yaml':
        'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [b.yaml]\n',
      'one/part/b.yaml': configMap('the-case-b'),
      'one/kustomization.yaml': 'resources: [a.yaml]\n',
    },
    spec: { components: ['part', 'gone'], ignoreMissingComponents: true },
  },
  { name: 'component-missing', files: plain, spec: { components: ['gone'] } },
  { name: 'component-absolute', files: plain, spec: { components: ['/one'] } },
  {
    name: 'build-metadata',
    files: plain,
    spec: { buildMetadata: ['originAnnotations', 'transformerAnnotations'] },
  },
  {
    name: 'images',
    files: {
      'one/a.yaml':
        'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: the-case-a, namespace: the-ns}\nspec:\n  schedule: "0 3 * * *"\n  suspend: true\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "example/a:1"}]}}}}\n',
    },
    spec: {
      images: [
        { name: 'example/a', newTag: '2' },
        { name: 'example/a', newName: 'example/b' },
      ],
    },
  },
  {
    name: 'list',
    files: {
      'one/a.yaml':
        'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: the-case-a, namespace: the-ns}, data: {a: "1"}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: the-case-b, namespace: the-ns}, data: {a: "1"}}\n',
    },
  },
  {
    name: 'typed-list',
    files: {
      'one/a.yaml':
        'apiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: the-case-a, namespace: the-ns}, data: {a: "1"}}\n',
    },
  },
  {
    name: 'generate-name',
    files: {
      'one/a.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: the-case-, namespace: the-ns}\n',
    },
  },
  {
    name: 'duplicates',
    files: { 'one/a.yaml': configMap('the-case-a'), 'one/b.yaml': configMap('the-case-a') },
  },
  {
    name: 'no-kind',
    files: { 'one/a.yaml': 'apiVersion: v1\nmetadata: {name: the-case-a}\n' },
  },
  {
    name: 'no-api-version',
    files: { 'one/a.yaml': 'kind: ConfigMap\nmetadata: {name: the-case-a, namespace: the-ns}\n' },
  },
  { name: 'broken-yaml', files: { 'one/a.yaml': 'a: [\n' } },
  { name: 'scalar-yaml', files: { 'one/a.yaml': 'just text\n' } },
  { name: 'comments-only', files: { ...plain, 'one/b.yaml': '# nothing\n---\n# here\n' } },
  {
    name: 'empty-folder',
    files: { ...plain, 'one/a.yaml': '', 'one/kustomization.yaml': 'resources: []\n' },
  },
  {
    name: 'missing-resource',
    files: { 'one/kustomization.yaml': 'resources: [nowhere.yaml]\n' },
  },
  {
    name: 'unknown-root-field',
    files: { 'one/kustomization.yaml': 'resources: [a.yaml]\nresurces: [b.yaml]\n', ...plain },
  },
  {
    name: 'unknown-nested-field',
    files: {
      'one/kustomization.yaml': 'resources: [deep]\n',
      'one/deep/kustomization.yaml': 'resurces: [a.yaml]\n',
      'one/deep/a.yaml': configMap('the-case-a'),
    },
  },
  {
    name: 'broken-root',
    files: { 'one/kustomization.yaml': 'resources: a: b\n', ...plain },
  },
  {
    name: 'two-root-files',
    files: {
      'one/kustomization.yaml': 'resources: [a.yaml]\n',
      'one/Kustomization': 'resources: []\n',
      ...plain,
    },
  },
  { name: 'path-missing', files: plain, spec: { path: './nowhere' } },
  { name: 'path-is-file', files: plain, spec: { path: './one/a.yaml' } },
  { name: 'path-above-root', files: plain, spec: { path: '../../one' } },
  { name: 'path-absolute', files: plain, spec: { path: '/one' } },
  {
    name: 'wrong-types',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: 1}') },
  },
  {
    name: 'wrong-replicas',
    files: {
      'one/a.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: the-case-a, namespace: the-ns}\nspec: {replicas: "two"}\n',
    },
  },
  {
    name: 'not-base64',
    files: {
      'one/a.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-a, namespace: the-ns}\ndata: {a: "%%%"}\n',
    },
  },
  {
    name: 'number-label',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', '  labels: {version: 1}\n') },
  },
  {
    name: 'null-metadata',
    files: {
      'one/a.yaml': configMap('the-case-a', 'data: null', '  labels: null\n  annotations: {x: null}\n'),
    },
  },
  {
    name: 'server-fields',
    files: {
      'one/a.yaml': configMap(
        'the-case-a',
        'status: {x: 1}',
        '  creationTimestamp: "2026-01-02T03:04:05Z"\n  generation: 7\n  selfLink: /x\n  finalizers: [example.org/keep]\n  labels: {}\n',
      ),
    },
    then: [
      {
        edits: [{ object: mapRef('the-case-a'), manager: 'test', patch: { metadata: { finalizers: null } } }],
      },
    ],
  },
  {
    name: 'with-uid',
    files: {
      'one/a.yaml': configMap(
        'the-case-a',
        'data: {a: "1"}',
        '  uid: 11111111-1111-1111-1111-111111111111\n',
      ),
    },
  },
  {
    name: 'with-version',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', '  resourceVersion: "1"\n') },
  },
  {
    name: 'status-of-custom',
    files: { 'one/a.yaml': widget('the-case-a', 'spec: {size: 1}\nstatus: {x: 1}') },
  },
  {
    name: 'many',
    files: Object.fromEntries(
      Array.from({ length: 120 }, (_, index) => [
        `one/a${index}.yaml`,
        configMap(`the-case-${String(index).padStart(3, '0')}`),
      ]),
    ),
  },
  {
    name: 'kustomize-file-inside',
    files: {
      ...plain,
      'one/kustomization.yaml': 'resources: [a.yaml, deep.yaml]\n',
      'one/deep.yaml':
        'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: the-case}\nresources: []\n',
    },
  },
  {
    name: 'itself',
    files: {
      ...plain,
      'one/self.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: the-case, namespace: the-ns, finalizers: [finalizers.fluxcd.io]}\nspec: {interval: 1h, prune: true, wait: true, path: ./one, sourceRef: {kind: GitRepository, name: the-case}}\n',
    },
    spec: { wait: true },
  },
];

const substitutions: readonly AgreementCase[] = [
  {
    name: 'substitute-plain',
    files: {
      'one/a.yaml': configMap('the-case-a', 'data: {a: "${a}", b: "${b:=two}", c: "$${c}", d: "${d/x/y}"}'),
      'one/b.yaml': configMap('the-case-b', 'data: {a: "${a}"}', labelled('substitute', 'disabled')),
      'one/c.yaml': configMap('the-case-c', 'data: {a: "${a}"}', annotated('substitute', 'Disabled')),
    },
    given:
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-vars, namespace: the-ns}\ndata: {a: "from map", d: axb}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: the-case-vars, namespace: the-ns}\nstringData: {a: "from\\nsecret", e: x}\n',
    spec: {
      postBuild: {
        substitute: { d: 'cxd' },
        substituteFrom: [
          { kind: 'ConfigMap', name: 'the-case-vars' },
          { kind: 'Secret', name: 'the-case-vars' },
          { kind: 'ConfigMap', name: 'the-case-none', optional: true },
        ],
      },
    },
  },
  {
    name: 'substitute-missing',
    files: plain,
    spec: { postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'nowhere' }] } },
  },
  {
    name: 'substitute-strict',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${nobody}"}') },
    spec: { postBuild: { substitute: { x: 'y' } } },
  },
  {
    name: 'substitute-none',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${nobody}", b: "$${c}"}') },
    spec: { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'nowhere', optional: true }] } },
  },
  {
    name: 'substitute-always',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${nobody:-x}", b: "$${c}"}') },
    spec: { postBuild: { substituteStrategy: 'Always' } },
  },
  {
    name: 'substitute-bad-name',
    files: plain,
    spec: { postBuild: { substitute: { 'a-b': 'c' } } },
  },
  {
    name: 'substitute-bad-text',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${a.b}"}') },
    spec: { postBuild: { substitute: { x: 'y' } } },
  },
  {
    name: 'substitute-unclosed',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${a"}') },
    spec: { postBuild: { substitute: { a: 'y' } } },
  },
  {
    name: 'substitute-breaks',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "${a}"}') },
    spec: { postBuild: { substitute: { a: '"x: [' } } },
  },
  {
    name: 'substitute-kind',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}').replace('ConfigMap', 'Config${x}') },
    spec: { postBuild: { substitute: { x: 'Map' } } },
  },
];

const secrets: readonly AgreementCase[] = [
  {
    name: 'encrypted-alone',
    files: {
      'one/a.yaml':
        'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-a, namespace: the-ns}\ndata: {a: YQ==}\nsops: {mac: "ENC[x]"}\n',
      'one/b.yaml': configMap('the-case-b'),
    },
  },
  {
    name: 'encrypted-opt-out',
    files: {
      'one/a.yaml': `apiVersion: v1\nkind: Secret\nmetadata:\n  name: the-case-a\n  namespace: the-ns\n${annotated('decrypt', 'Disabled')}data: {a: YQ==}\nsops: {mac: "ENC[x]"}\n`,
    },
  },
  {
    name: 'keys-missing',
    files: plain,
    spec: { decryption: { provider: 'sops', secretRef: { name: 'nowhere' } } },
  },
  {
    name: 'keys-broken',
    files: plain,
    given:
      'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-keys, namespace: the-ns}\nstringData: {x.agekey: nonsense}\n',
    spec: { decryption: { provider: 'sops', secretRef: { name: 'the-case-keys' } } },
  },
  {
    name: 'keys-account',
    files: plain,
    spec: { decryption: { provider: 'sops', serviceAccountName: 'somebody' } },
  },
];

const applies: readonly AgreementCase[] = [
  {
    name: 'no-namespace',
    files: { 'one/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-a}\n' },
  },
  {
    name: 'namespace-missing',
    files: {
      ...plain,
      'one/b.yaml': configMap('the-case-b').replace('namespace: the-ns', 'namespace: nowhere'),
    },
  },
  {
    name: 'kind-missing',
    files: {
      ...plain,
      'one/b.yaml':
        'apiVersion: nowhere.example/v1\nkind: Nothing\nmetadata: {name: the-case-b, namespace: the-ns}\n',
    },
  },
  {
    name: 'version-missing',
    files: {
      'one/b.yaml':
        'apiVersion: apps/v9\nkind: Deployment\nmetadata: {name: the-case-b, namespace: the-ns}\n',
    },
  },
  {
    name: 'refused',
    files: {
      ...plain,
      'one/b.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: the-case-b, namespace: the-ns}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: a, image: b}]}}}\n',
    },
  },
  {
    name: 'bad-name',
    files: { ...plain, 'one/b.yaml': configMap('The_Case') },
  },
  {
    name: 'stages',
    files: {
      'one/a.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: the-ns-the-case}\n---\n${configMap('the-case-a').replace('namespace: the-ns', 'namespace: the-ns-the-case')}`,
      'one/b.yaml':
        'apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: the-ns-the-case}\nvalue: 5\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: "the-ns-the-case:reader"}\nrules: []\n',
    },
    then: [{ deletes: true }],
  },
  {
    name: 'partial-stages',
    files: {
      'one/a.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: the-ns-the-case}\n',
      'one/b.yaml': configMap('The_Case'),
    },
  },
  {
    name: 'cluster-wide-with-namespace',
    files: {
      'one/a.yaml':
        'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: the-ns-the-case, namespace: the-ns}\nrules: []\n',
    },
  },
  {
    name: 'immutable',
    given: configMap('the-case-a', 'immutable: true\ndata: {a: "0"}'),
    files: plain,
    then: [{ spec: { force: true } }],
  },
  {
    name: 'force-annotated',
    given: configMap('the-case-a', 'immutable: true\ndata: {a: "0"}'),
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', annotated('force', 'Enabled')) },
  },
  {
    name: 'force-odd',
    given: configMap('the-case-a', 'immutable: true\ndata: {a: "0"}'),
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', annotated('force', '"true"')) },
  },
  {
    name: 'ssa-values',
    given: `${configMap('the-case-a', 'data: {a: "0"}')}---\n${configMap('the-case-b', 'data: {a: "0"}')}---\n${configMap('the-case-c', 'data: {a: "0"}')}---\n${configMap('the-case-e', 'data: {a: "0"}', labelled('reconcile', 'disabled'))}`,
    files: {
      'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', annotated('ssa', 'ignore')),
      'one/b.yaml': configMap('the-case-b', 'data: {a: "1"}', annotated('ssa', 'ifnotpresent')),
      'one/c.yaml': configMap('the-case-c', 'data: {a: "1"}', labelled('ssa', 'Nonsense')),
      'one/d.yaml': configMap('the-case-d', 'data: {a: "1"}', labelled('ssa', 'IfNotPresent')),
      'one/e.yaml': configMap('the-case-e'),
      'one/f.yaml': configMap('the-case-f', 'data: {a: "1"}', annotated('ssa', 'Ignore')),
    },
    spec: { wait: true },
    then: [{ spec: { path: './two' } }],
  },
  {
    name: 'kubectl-edits',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1", b: "2"}') },
    then: [
      {
        edits: [
          { object: mapRef('the-case-a'), manager: 'kubectl-edit', patch: { data: { extra: 'x', a: '9' } } },
          { object: mapRef('the-case-a'), manager: 'operator', patch: { data: { op: 'x' } } },
          {
            object: mapRef('the-case-a'),
            manager: 'kubectl-client-side-apply',
            patch: {
              metadata: {
                annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
                labels: { 'fluxcd.io/sync-gc-mark': 'x' },
              },
            },
          },
        ],
      },
    ],
  },
  {
    name: 'ssa-merge',
    files: { 'one/a.yaml': configMap('the-case-a', 'data: {a: "1"}', annotated('ssa', 'Merge')) },
    then: [
      {
        edits: [
          { object: mapRef('the-case-a'), manager: 'kubectl-edit', patch: { data: { extra: 'x', a: '9' } } },
        ],
      },
    ],
  },
  {
    name: 'ignore-rules',
    files: { ...twoFolders, 'two/a.yaml': configMap('the-case-a', 'data: {a: "1", b: "2"}') },
    spec: { ignore: [{ paths: ['/data/a'], target: { kind: 'ConfigMap' } }] },
    then: [
      { edits: [{ object: mapRef('the-case-a'), manager: 'operator', patch: { data: { a: '9' } } }] },
      { spec: { path: './two' } },
    ],
  },
  {
    name: 'ignore-broken',
    files: plain,
    spec: { ignore: [{ paths: ['/data/a'], target: { kind: '(' } }] },
  },
  {
    name: 'own-status',
    given: widget('the-case-a', 'spec: {size: 0}\nstatus: {x: 1}'),
    files: { 'one/a.yaml': widget('the-case-a') },
  },
  {
    name: 'job-immutable',
    files: {
      'one/a.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata: {name: the-case-a, namespace: the-ns}\nspec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: "example/a:1"}]}}}\n',
      'two/a.yaml':
        'apiVersion: batch/v1\nkind: Job\nmetadata: {name: the-case-a, namespace: the-ns}\nspec: {suspend: true, template: {spec: {restartPolicy: Never, containers: [{name: a, image: "example/a:2"}]}}}\n',
    },
    spec: { wait: true },
    then: [{ spec: { path: './two' } }],
  },
];

const rights: readonly AgreementCase[] = [
  { name: 'account-missing', files: plain, spec: { serviceAccountName: 'nobody' } },
  {
    name: 'account-powerless',
    given: account('the-case', '[{apiGroups: [""], resources: [pods], verbs: [get]}]'),
    files: plain,
    spec: { serviceAccountName: 'the-case' },
  },
  {
    name: 'account-gone',
    given: account('the-case', '[{apiGroups: [""], resources: [configmaps], verbs: ["*"]}]'),
    files: plain,
    spec: { serviceAccountName: 'the-case' },
    then: [{ spec: { serviceAccountName: 'nobody' } }, { deletes: true }],
  },
  {
    name: 'kubeconfig-missing',
    files: plain,
    spec: { kubeConfig: { secretRef: { name: 'nowhere' } } },
  },
  {
    name: 'kubeconfig-no-key',
    given:
      'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-kube, namespace: the-ns}\nstringData: {other: x}\n',
    files: plain,
    spec: { kubeConfig: { secretRef: { name: 'the-case-kube' } } },
  },
  {
    name: 'kubeconfig-wrong-key',
    given:
      'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-kube, namespace: the-ns}\nstringData: {value: x}\n',
    files: plain,
    spec: { kubeConfig: { secretRef: { name: 'the-case-kube', key: 'mine' } } },
  },
  {
    name: 'kubeconfig-broken',
    given:
      'apiVersion: v1\nkind: Secret\nmetadata: {name: the-case-kube, namespace: the-ns}\nstringData: {value: "a: ["}\n',
    files: plain,
    spec: { kubeConfig: { secretRef: { name: 'the-case-kube' } } },
  },
  {
    name: 'kubeconfig-map-missing',
    files: plain,
    spec: { kubeConfig: { configMapRef: { name: 'nowhere' } } },
  },
  {
    name: 'kubeconfig-map-odd',
    given:
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-kube, namespace: the-ns}\ndata: {provider: nobody}\n',
    files: plain,
    spec: { kubeConfig: { configMapRef: { name: 'the-case-kube' } } },
  },
  {
    name: 'kubeconfig-map-empty',
    given:
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: the-case-kube, namespace: the-ns}\ndata: {a: b}\n',
    files: plain,
    spec: { kubeConfig: { configMapRef: { name: 'the-case-kube' } } },
  },
];

const sourcesAndDependencies: readonly AgreementCase[] = [
  { name: 'source-missing', files: plain, source: 'missing' },
  { name: 'source-empty', files: plain, source: 'without artifact' },
  { name: 'source-no-archive', files: plain, source: 'without archive' },
  {
    name: 'source-external',
    files: plain,
    spec: { sourceRef: { kind: 'ExternalArtifact', name: 'the-case' } },
  },
  { name: 'source-bucket', files: plain, spec: { sourceRef: { kind: 'Bucket', name: 'the-case' } } },
  { name: 'suspended-plain', files: plain, spec: { suspend: true }, then: [{ deletes: true }] },
  {
    name: 'suspended-later',
    files: plain,
    then: [
      { spec: { suspend: true, path: './nowhere' } },
      { spec: { suspend: false } },
      { spec: { suspend: true } },
    ],
  },
  { name: 'dependency-missing', files: plain, spec: { dependsOn: [{ name: 'nobody' }] } },
  {
    name: 'dependency-elsewhere',
    files: plain,
    spec: { dependsOn: [{ name: 'nobody', namespace: 'nowhere' }] },
  },
  {
    name: 'dependency-unready',
    files: plain,
    given: dependency(`{observedGeneration: 1, conditions: [${condition('False')}]}`),
    spec: { dependsOn: [{ name: 'the-case-dep' }] },
  },
  {
    name: 'dependency-no-status',
    files: plain,
    given: dependency('{observedGeneration: 1}'),
    spec: { dependsOn: [{ name: 'the-case-dep' }] },
  },
  {
    name: 'dependency-behind',
    files: plain,
    given: dependency(
      `{observedGeneration: 1, lastAppliedRevision: "main@sha1:0000000000000000000000000000000000000000", conditions: [${condition('True')}]}`,
    ),
    spec: { dependsOn: [{ name: 'the-case-dep' }] },
  },
  {
    name: 'dependency-ready',
    files: plain,
    given: dependency(
      `{observedGeneration: 1, lastAppliedRevision: "main@sha1:3333333333333333333333333333333333333333", conditions: [${condition('True')}]}`,
    ),
    spec: { dependsOn: [{ name: 'the-case-dep' }] },
  },
  {
    name: 'expr-true',
    files: plain,
    given: dependency('{}'),
    spec: {
      dependsOn: [
        { name: 'the-case-dep', readyExpr: 'dep.spec.suspend && self.metadata.name != dep.metadata.name' },
      ],
    },
  },
  {
    name: 'expr-false',
    files: plain,
    given: dependency('{}'),
    spec: { dependsOn: [{ name: 'the-case-dep', readyExpr: '!dep.spec.suspend' }] },
  },
  {
    name: 'expr-unknown-field',
    files: plain,
    given: dependency('{}'),
    spec: { dependsOn: [{ name: 'the-case-dep', readyExpr: 'dep.spec.nothing.here == 1' }] },
  },
  {
    name: 'expr-no-bool',
    files: plain,
    given: dependency('{}'),
    spec: { dependsOn: [{ name: 'the-case-dep', readyExpr: 'dep.metadata.name' }] },
  },
  {
    name: 'expr-broken',
    files: plain,
    given: dependency('{}'),
    spec: { dependsOn: [{ name: 'the-case-dep', readyExpr: 'dep.metadata.' }] },
    then: [{ spec: { dependsOn: null } }],
  },
  {
    name: 'expr-undeclared',
    files: plain,
    given: dependency('{}'),
    spec: { dependsOn: [{ name: 'the-case-dep', readyExpr: 'other.spec.suspend' }] },
  },
];

const healths: readonly AgreementCase[] = [
  { name: 'wait-plain', files: plain, spec: { wait: true }, then: [{}, { spec: { wait: false } }] },
  {
    name: 'wait-for-nothing',
    files: { 'one/kustomization.yaml': 'resources: []\n' },
    spec: { wait: true },
  },
  {
    name: 'wait-failed',
    given: widget(
      'the-case-a',
      'spec: {size: 0}\nstatus: {conditions: [{type: Stalled, status: "True", reason: Broken, message: broken}]}',
    ),
    files: { ...plain, 'one/w.yaml': widget('the-case-a') },
    spec: { wait: true },
    then: [{ spec: { wait: false } }],
  },
  {
    name: 'wait-timeout',
    given: widget(
      'the-case-a',
      'spec: {size: 0}\nstatus: {conditions: [{type: Ready, status: "False", reason: Slow, message: slow}]}',
    ),
    files: { ...plain, 'one/w.yaml': widget('the-case-a') },
    spec: { wait: true, timeout: '1s' },
  },
  {
    name: 'checks-missing',
    files: plain,
    spec: {
      timeout: '1s',
      healthChecks: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', namespace: 'the-ns' }],
    },
  },
  {
    name: 'checks-no-kind',
    files: plain,
    spec: {
      timeout: '1s',
      healthChecks: [
        { apiVersion: 'nowhere.example/v1', kind: 'Nothing', name: 'nobody', namespace: 'the-ns' },
      ],
    },
  },
  {
    name: 'checks-bad-version',
    files: plain,
    spec: { healthChecks: [{ apiVersion: 'a/b/c', kind: 'ConfigMap', name: 'nobody', namespace: 'the-ns' }] },
  },
  {
    name: 'checks-plain',
    files: plain,
    spec: {
      healthChecks: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'the-case-a', namespace: 'the-ns' }],
    },
    then: [{ spec: { healthChecks: null } }],
  },
  {
    name: 'health-expr-current',
    files: { 'one/w.yaml': widget('the-case-a') },
    spec: {
      wait: true,
      healthCheckExprs: [{ apiVersion: 'the-ns.example/v1', kind: 'Widget', current: 'spec.size == 1' }],
    },
  },
  {
    name: 'health-expr-failed',
    files: { 'one/w.yaml': widget('the-case-a') },
    spec: {
      wait: true,
      healthCheckExprs: [
        {
          apiVersion: 'the-ns.example/v1',
          kind: 'Widget',
          current: 'spec.size == 2',
          failed: 'spec.size == 1',
        },
      ],
    },
  },
  {
    name: 'health-expr-error',
    files: { 'one/w.yaml': widget('the-case-a') },
    spec: {
      wait: true,
      timeout: '1s',
      healthCheckExprs: [{ apiVersion: 'the-ns.example/v1', kind: 'Widget', current: 'status.nothing == 2' }],
    },
  },
  {
    name: 'health-expr-broken',
    files: plain,
    spec: { healthCheckExprs: [{ apiVersion: 'the-ns.example/v1', kind: 'Widget', current: 'spec.' }] },
    then: [{ spec: { healthCheckExprs: null } }],
  },
  {
    name: 'health-expr-twice',
    files: plain,
    spec: {
      healthCheckExprs: [
        { apiVersion: 'the-ns.example/v1', kind: 'Widget', current: 'true' },
        { apiVersion: 'the-ns.example/v2', kind: 'Widget', current: 'true' },
      ],
    },
  },
];

const deletions: readonly AgreementCase[] = [
  { name: 'prune-plain', files: twoFolders, then: [{ spec: { path: './two' } }, { deletes: true }] },
  {
    name: 'prune-off',
    files: twoFolders,
    spec: { prune: false },
    then: [{ spec: { path: './two' } }, { deletes: true }],
  },
  {
    name: 'prune-everything',
    files: { ...twoFolders, 'two/a.yaml': '', 'two/kustomization.yaml': 'resources: []\n' },
    then: [{ spec: { path: './two' } }, { deletes: true }],
  },
  {
    name: 'prune-kept',
    files: {
      'one/a.yaml': configMap('the-case-a', 'data: {}', annotated('prune', 'Disabled')),
      'one/b.yaml': configMap('the-case-b', 'data: {}', labelled('prune', 'disabled')),
      'one/c.yaml': configMap('the-case-c'),
      'one/d.yaml': configMap('the-case-d'),
      'two/kustomization.yaml': 'resources: []\n',
    },
    then: [
      {
        edits: [
          {
            object: mapRef('the-case-c'),
            manager: 'test',
            patch: { metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'other' } } },
          },
          {
            object: mapRef('the-case-d'),
            manager: 'test',
            patch: { metadata: { annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'IGNORE' } } },
          },
        ],
        spec: { path: './two' },
      },
    ],
  },
  {
    name: 'prune-stuck',
    files: {
      ...twoFolders,
      'one/b.yaml': configMap('the-case-b', 'data: {}', '  finalizers: [example.org/keep]\n'),
    },
    then: [
      { spec: { path: './two' } },
      { spec: { path: './two' } },
      {
        edits: [{ object: mapRef('the-case-b'), manager: 'test', patch: { metadata: { finalizers: null } } }],
      },
    ],
  },
  ...(['Delete', 'Orphan', 'WaitForTermination', 'MirrorPrune'] as const).map((deletionPolicy) => ({
    name: `policy-${deletionPolicy.toLowerCase()}`,
    files: plain,
    spec: { deletionPolicy, prune: false },
    then: [{ deletes: true as const }],
  })),
  {
    name: 'delete-suspended',
    files: plain,
    then: [{ spec: { suspend: true } }, { deletes: true }],
  },
  { name: 'delete-failed-build', files: { 'one/a.yaml': 'a: [\n' }, then: [{ deletes: true }] },
  {
    name: 'delete-after-failure',
    files: plain,
    then: [{ spec: { path: './nowhere' } }, { deletes: true }],
  },
];

export const agreementCases: readonly AgreementCase[] = [
  ...builds,
  ...substitutions,
  ...secrets,
  ...applies,
  ...rights,
  ...sourcesAndDependencies,
  ...healths,
  ...deletions,
];
