import type { JsonObject, JsonValue } from '../../src/base/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import type { Random } from './random.ts';

// Few names, so that objects meet: the same name in several kinds, references that hit and that miss.
export const names = ['web', 'api', 'db', 'conf', 'web-extra'] as const;
export const namespaces = ['prod', 'test', 'default'] as const;
export const labelKeys = ['app', 'tier', 'app.kubernetes.io/name'] as const;
export const labelValues = ['web', 'api', 'x', '1', 'true', ''] as const;
export const images = [
  'nginx',
  'nginx:1.25',
  'registry.example.org:5000/team/app:v1',
  'redis@sha256:0123456789012345678901234567890123456789012345678901234567890123',
  'docker.io/library/busybox:latest',
] as const;

const texts = [
  'plain',
  '',
  'yes',
  '012',
  '1e3',
  '~',
  'null',
  '2024-01-02',
  '12:30',
  'a: b',
  '- x',
  '# no',
  'two\nlines\n',
  'no newline\nat end',
  '\n leading',
  'tab\there',
  'trailing ',
  ' leading space',
  "it's",
  'say "x"',
  '@at',
  '{brace',
  'é ☃',
  '0x1F',
  'a very long line that goes on and on and on until it is longer than the eighty columns a printer likes',
  '$(VAR)',
] as const;

export function text(random: Random): string {
  return random.pick(texts);
}

export function labels(random: Random): JsonObject {
  return Object.fromEntries(
    random.some(labelKeys, 50).map((key) => [key, random.pick(labelValues) as JsonValue]),
  );
}

export function metadata(random: Random, name: string, isNamespaced: boolean): JsonObject {
  return {
    name,
    ...(isNamespaced && random.chance(30) && { namespace: random.pick(namespaces) }),
    ...(random.chance(40) && { labels: labels(random) }),
    ...(random.chance(25) && {
      annotations: { note: text(random), ...(random.chance(30) && { other: '1' }) },
    }),
  };
}

type Maker = (random: Random, name: string) => JsonObject;
const reference = (random: Random): string => random.pick(names);

export function container(random: Random, name: string): JsonObject {
  return {
    name,
    ...(random.chance(90) && { image: random.pick(images) }),
    ...(random.chance(30) && { args: random.some(['--a', '--b=$(VAR)', text(random)], 60) }),
    ...(random.chance(40) && { env: environment(random) }),
    ...(random.chance(25) && {
      envFrom: random.some(
        [{ configMapRef: { name: reference(random) } }, { secretRef: { name: reference(random) } }],
        60,
      ),
    }),
    ...(random.chance(40) && { ports: ports(random) }),
    ...(random.chance(20) && { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    ...(random.chance(15) && {
      resources: { limits: { cpu: random.pick([1, '500m', 0.5]), memory: '1Gi' } },
    }),
  };
}

function environment(random: Random): JsonValue {
  return random.some(['A', 'B', 'HOST'], 60).map((name) => {
    if (random.chance(60)) return { name, value: text(random) };
    const source = random.pick(['configMapKeyRef', 'secretKeyRef']);
    return { name, valueFrom: { [source]: { name: reference(random), key: 'k' } } };
  });
}

function ports(random: Random): JsonValue {
  return random.some([80, 443, 8080], 50).map((containerPort) => ({
    containerPort,
    ...(random.chance(40) && { protocol: random.pick(['TCP', 'UDP']) }),
  }));
}

function podTemplate(random: Random): JsonObject {
  return {
    ...(random.chance(70) && { metadata: { labels: labels(random) } }),
    spec: {
      containers: ['main', ...random.some(['side', 'extra'], 30)].map((name) => container(random, name)),
      ...(random.chance(20) && { initContainers: [container(random, 'init')] }),
      ...(random.chance(25) && { serviceAccountName: reference(random) }),
      ...(random.chance(25) && { volumes: volumes(random) }),
      ...(random.chance(10) && { imagePullSecrets: [{ name: reference(random) }] }),
      ...(random.chance(15) && { tolerations: [{ key: 'a', operator: 'Exists' }] }),
      ...(random.chance(15) && { nodeSelector: { disk: 'ssd' } }),
      ...(random.chance(8) && { affinity: affinity(random) }),
      ...(random.chance(8) && {
        topologySpreadConstraints: [{ topologyKey: 'zone', labelSelector: { matchLabels: labels(random) } }],
      }),
      ...(random.chance(8) && { hostAliases: [{ ip: '10.0.0.1', hostnames: ['x'] }] }),
    },
  };
}

function affinity(random: Random): JsonObject {
  const term = { topologyKey: 'zone', labelSelector: { matchLabels: labels(random) } };
  return {
    podAntiAffinity: random.chance(50)
      ? { requiredDuringSchedulingIgnoredDuringExecution: [term] }
      : { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
  };
}

function volumes(random: Random): JsonValue {
  return random.some(
    [
      { name: 'conf', configMap: { name: reference(random) } },
      { name: 'sec', secret: { secretName: reference(random) } },
      { name: 'data', persistentVolumeClaim: { claimName: reference(random) } },
      { name: 'tmp', emptyDir: {} },
      {
        name: 'all',
        projected: {
          sources: [{ configMap: { name: reference(random) } }, { secret: { name: reference(random) } }],
        },
      },
    ],
    40,
  );
}

const workload: Maker = (random) => ({
  ...(random.chance(60) && { replicas: random.below(5) }),
  ...(random.chance(80) && { selector: { matchLabels: labels(random) } }),
  template: podTemplate(random),
});

const data: Maker = (random) => ({
  ...(random.chance(85) && {
    data: Object.fromEntries(
      random.some(['k', 'conf.ini', 'HOST', 'zz'], 50).map((key) => [key, text(random)]),
    ),
  }),
});

const subjects = (random: Random): JsonObject[] =>
  random.some(
    [
      { kind: 'ServiceAccount', name: 'default', ...(random.chance(50) && { namespace: 'default' }) },
      {
        kind: 'ServiceAccount',
        name: reference(random),
        ...(random.chance(60) && { namespace: random.pick(namespaces) }),
      },
      { kind: 'User', name: 'alice', apiGroup: 'rbac.authorization.k8s.io' },
    ],
    60,
  );

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
  readonly weight: number;
  readonly fields: Maker;
}

const spec =
  (maker: Maker): Maker =>
  (random, name) => ({ spec: maker(random, name) });

const kind = (
  apiVersion: string,
  name: string,
  weight: number,
  fields: Maker,
  isNamespaced = true,
): Kind => ({
  apiVersion,
  kind: name,
  weight,
  fields,
  isNamespaced,
});

export const kinds: readonly Kind[] = [
  kind('apps/v1', 'Deployment', 10, spec(workload)),
  kind(
    'apps/v1',
    'StatefulSet',
    5,
    spec((random, name) => ({
      ...workload(random, name),
      serviceName: reference(random),
      ...(random.chance(40) && {
        volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { storageClassName: reference(random) } }],
      }),
    })),
  ),
  kind(
    'apps/v1',
    'DaemonSet',
    2,
    spec((random) => ({ template: podTemplate(random) })),
  ),
  kind('v1', 'Pod', 2, (random) => ({ spec: podTemplate(random)['spec'] })),
  kind(
    'batch/v1',
    'Job',
    2,
    spec((random) => ({ template: podTemplate(random) })),
  ),
  kind(
    'batch/v1',
    'CronJob',
    3,
    spec((random) => ({ schedule: '* * * * *', jobTemplate: { spec: { template: podTemplate(random) } } })),
  ),
  kind(
    'v1',
    'Service',
    6,
    spec((random) => ({
      ...(random.chance(80) && { selector: labels(random) }),
      ports: random.some(
        [{ port: 80 }, { port: 443, name: 'tls' }, { port: 80, protocol: 'UDP', name: 'u' }],
        60,
      ),
    })),
  ),
  kind('v1', 'ConfigMap', 9, data),
  kind('v1', 'Secret', 5, (random) => ({
    stringData: { k: text(random) },
    ...(random.chance(40) && { type: 'Opaque' }),
  })),
  kind('v1', 'ServiceAccount', 3, (random) =>
    random.chance(40)
      ? { imagePullSecrets: [{ name: reference(random) }], secrets: [{ name: reference(random) }] }
      : {},
  ),
  kind('v1', 'Namespace', 3, () => ({}), false),
  kind(
    'v1',
    'PersistentVolumeClaim',
    2,
    spec((random) => ({
      ...(random.chance(50) && { volumeName: reference(random) }),
      ...(random.chance(50) && { storageClassName: reference(random) }),
    })),
  ),
  kind(
    'v1',
    'PersistentVolume',
    1,
    spec((random) => ({ storageClassName: reference(random) })),
    false,
  ),
  kind('storage.k8s.io/v1', 'StorageClass', 1, () => ({ provisioner: 'x' }), false),
  kind('scheduling.k8s.io/v1', 'PriorityClass', 1, () => ({ value: 5 }), false),
  kind(
    'networking.k8s.io/v1',
    'Ingress',
    4,
    spec((random) => ({
      ...(random.chance(40) && { tls: [{ hosts: ['x'], secretName: reference(random) }] }),
      ...(random.chance(40) && { ingressClassName: reference(random) }),
      rules: [
        {
          host: 'example.org',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: reference(random), port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    })),
  ),
  kind(
    'networking.k8s.io/v1',
    'IngressClass',
    1,
    spec(() => ({ controller: 'x' })),
    false,
  ),
  kind(
    'networking.k8s.io/v1',
    'NetworkPolicy',
    2,
    spec((random) => ({
      podSelector: random.chance(60) ? { matchLabels: labels(random) } : {},
      ...(random.chance(50) && { ingress: [{ from: [{ podSelector: { matchLabels: labels(random) } }] }] }),
    })),
  ),
  kind(
    'autoscaling/v2',
    'HorizontalPodAutoscaler',
    3,
    spec((random) => ({
      scaleTargetRef: {
        apiVersion: 'apps/v1',
        kind: random.pick(['Deployment', 'StatefulSet']),
        name: reference(random),
      },
      minReplicas: 1,
    })),
  ),
  kind(
    'policy/v1',
    'PodDisruptionBudget',
    2,
    spec((random) => ({ selector: { matchLabels: labels(random) } })),
  ),
  kind('rbac.authorization.k8s.io/v1', 'Role', 3, (random) => ({
    rules: [
      {
        apiGroups: [''],
        resources: ['configmaps'],
        verbs: ['get'],
        ...(random.chance(50) && { resourceNames: [reference(random), 'other'] }),
      },
    ],
  })),
  kind('rbac.authorization.k8s.io/v1', 'ClusterRole', 2, () => ({ rules: [] }), false),
  kind('rbac.authorization.k8s.io/v1', 'RoleBinding', 4, (random) => ({
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: random.pick(['Role', 'ClusterRole']),
      name: reference(random),
    },
    subjects: subjects(random),
  })),
  kind(
    'rbac.authorization.k8s.io/v1',
    'ClusterRoleBinding',
    3,
    (random) => ({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: reference(random) },
      subjects: subjects(random),
    }),
    false,
  ),
  kind(
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
    2,
    (random) => ({
      webhooks: [
        {
          name: 'a.example.org',
          clientConfig: { service: { name: reference(random), namespace: random.pick(namespaces) } },
        },
      ],
    }),
    false,
  ),
  kind(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    2,
    spec((random) => ({
      group: 'example.org',
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets' },
      ...(random.chance(50) && {
        conversion: {
          strategy: 'Webhook',
          webhook: {
            clientConfig: { service: { name: reference(random), namespace: random.pick(namespaces) } },
          },
        },
      }),
      versions: [],
    })),
    false,
  ),
  kind(
    'apiregistration.k8s.io/v1',
    'APIService',
    1,
    spec((random) => ({ service: { name: reference(random), namespace: random.pick(namespaces) } })),
    false,
  ),
  kind(
    'example.org/v1',
    'Widget',
    4,
    spec((random) => ({
      image: random.pick(images),
      secretName: reference(random),
      size: random.pick([1, 2.5, true, null, 'x', 9007199254740993n]),
      list: random.some([{ name: 'a', v: 1 }, { name: 'b', v: text(random) }, { id: 3 }], 60),
      template: random.chance(30) ? podTemplate(random) : {},
      nested: { deep: { text: text(random) } },
    })),
  ),
];

const weighted = kinds.flatMap((entry) => Array.from({ length: entry.weight }, () => entry));

/** A random object of one of the kinds above. */
export function randomObject(random: Random): KubeObject {
  const { apiVersion, kind: kindName, isNamespaced, fields } = random.pick(weighted);
  const name = kindName === 'CustomResourceDefinition' ? 'widgets.example.org' : random.pick(names);
  return {
    apiVersion,
    kind: kindName,
    metadata: metadata(random, name, isNamespaced) as KubeObject['metadata'],
    ...fields(random, name),
  };
}
