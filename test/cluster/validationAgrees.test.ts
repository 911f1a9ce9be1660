import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger } from '../../src/base/logger.ts';
import { createClusterClient } from '../../src/clients/cluster/createClusterClient.ts';
import { fluxCrds } from '../../src/flux/crds.gen.ts';
import { createLanguageService } from '../../src/language/languageService.ts';
import { isKubeObject } from '../../src/kube/object.ts';
import { parseYaml } from '../../src/kube/yaml.ts';
import { sandboxCluster } from './sandboxCluster.ts';

const sandbox = await sandboxCluster();
const client = await createClusterClient({ kubeconfig: { paths: [sandbox.kubeconfig] }, log: silentLogger });
const namespace = await sandbox.freshNamespace('agrees');
after(() => client.close());

before(async () => {
  for (const crd of fluxCrds) {
    const answer = await client.apply(crd, { fieldManager: 'test', force: true, dryRun: false });
    assert.equal(answer.type, 'ok', JSON.stringify(answer));
    await sandbox.waitFor(
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`,
      (object) => JSON.stringify(object['status']).includes('"type":"Established"'),
    );
  }
});

const kustomization = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps }
spec:
  interval: 10m
  prune: true
  sourceRef: { kind: GitRepository, name: fleet }
`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - name: web
          image: example/web:1
          ports: [{ containerPort: 80 }]
          env: [{ name: MODE, value: fast }]
          resources: { limits: { cpu: 500m, memory: 64Mi } }
`;
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { mode: fast }\n';
const secret = 'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { a: aGVsbG8= }\n';

/** Edits of objects that both take; the server's answer decides what the language service has to say. */
const edits: readonly (readonly [name: string, yaml: string, from: string, to: string])[] = [
  ['a Kustomization as it is', kustomization, '', ''],
  ['a field that a Flux kind does not have', kustomization, 'prune', 'prun'],
  ['a required field left out', kustomization, '  interval: 10m\n', ''],
  ['a nested required field left out', kustomization, ', name: fleet', ''],
  ['a boolean in quotes', kustomization, 'prune: true', 'prune: "true"'],
  ['a word for a boolean', kustomization, 'prune: true', 'prune: yes'],
  ['a duration of YAML 1.1 size', kustomization, '10m', '10'],
  ['a duration with a blank', kustomization, '10m', '10 m'],
  ['a duration of several units', kustomization, '10m', '1h30m5.5s'],
  ['a value outside its set', kustomization, 'GitRepository', 'gitRepository'],
  [
    'an empty text where one character is asked for',
    kustomization,
    'prune:',
    'targetNamespace: ""\n  prune:',
  ],
  ['a text at its greatest length', kustomization, 'prune:', `namePrefix: ${'a'.repeat(200)}\n  prune:`],
  ['a text over its greatest length', kustomization, 'prune:', `namePrefix: ${'a'.repeat(201)}\n  prune:`],
  ['a list where a mapping is asked for', kustomization, '{ kind: GitRepository, name: fleet }', '[fleet]'],
  ['nothing in an optional field', kustomization, 'prune:', 'path:\n  prune:'],
  ['nothing in a required field', kustomization, 'interval: 10m', 'interval:'],
  ['nothing in an optional list', kustomization, 'prune:', 'dependsOn:\n  prune:'],
  [
    'an unknown field in an open mapping',
    kustomization,
    'prune:',
    'postBuild: { substitute: { a: b } }\n  prune:',
  ],
  ['a number as a variable', kustomization, 'prune:', 'postBuild: { substitute: { a: 1 } }\n  prune:'],
  ['a Deployment as it is', deployment, '', ''],
  ['nothing in a number', deployment, 'replicas: 2', 'replicas:'],
  ['nothing in a required mapping', deployment, 'template:\n    metadata', 'template:\n  x:\n    metadata'],
  [
    'a toleration operator that is none',
    deployment,
    'containers:',
    'tolerations: [{ operator: Is }]\n      containers:',
  ],
  [
    'an integer or text that is a text',
    deployment,
    'spec:\n  replicas',
    'spec:\n  strategy: { rollingUpdate: { maxSurge: 25% } }\n  replicas',
  ],
  [
    'an integer or text that is a fraction',
    deployment,
    'spec:\n  replicas',
    'spec:\n  strategy: { rollingUpdate: { maxSurge: 0.5 } }\n  replicas',
  ],
  ['a number in quotes', deployment, 'replicas: 2', 'replicas: "2"'],
  ['a fraction where an integer is asked for', deployment, 'replicas: 2', 'replicas: 2.5'],
  ['a required list left out', deployment, 'selector: { matchLabels: { app: web } }', 'paused: false'],
  ['a pull policy in lower case', deployment, 'image: example/web:1', 'imagePullPolicy: always'],
  ['a quantity that is none', deployment, '64Mi', '64 MB'],
  ['a quantity as a number', deployment, 'cpu: 500m', 'cpu: 1'],
  ['a quantity with an exponent', deployment, '64Mi', '64e6'],
  [
    'an environment variable given twice',
    deployment,
    'value: fast }',
    'value: a }, { name: MODE, value: b }',
  ],
  [
    'two ports with the default protocol',
    deployment,
    '{ containerPort: 80 }',
    '{ containerPort: 80 }, { containerPort: 81 }',
  ],
  ['a number as the value of a variable', deployment, 'value: fast', 'value: 1'],
  ['a mapping where a list is asked for', deployment, '[{ containerPort: 80 }]', '{ containerPort: 80 }'],
  ['a number in a ConfigMap', configMap, 'mode: fast', 'port: 80'],
  ['a name in upper case', configMap, 'name: settings', 'name: Settings'],
  ['a name with a dot', configMap, 'name: settings', 'name: settings.v1'],
  ['a label with a blank', configMap, 'name: settings', 'name: a, labels: { team: "a b" }'],
  ['a label key with two slashes', configMap, 'name: settings', 'name: a, labels: { a/b/c: d }'],
  ['an empty label', configMap, 'name: settings', 'name: a, labels: { team: "" }'],
  ['a Secret as it is', secret, '', ''],
  ['a Secret in plain text', secret, 'aGVsbG8=', 'hello!'],
];

for (const [name, yaml, from, to] of edits) {
  test(`agrees with the API server about ${name}`, async () => {
    const text = yaml.replace(from, to);
    const service = createLanguageService({ uriOf: (path) => path });
    service.setFile('a.yaml', text);
    const errors = service.diagnostics('a.yaml').filter(({ severity }) => severity === 'error');
    const object = parseYaml('a.yaml', text).value[0]?.value;
    assert.ok(isKubeObject(object));
    const answer = await client.apply(
      { ...object, metadata: { ...object.metadata, namespace } },
      { fieldManager: 'test', force: true, dryRun: true },
    );
    const refusal = answer.type === 'ok' ? 'taken' : answer.refusal.message;
    assert.equal(errors.length > 0, answer.type !== 'ok', `${refusal}\n${JSON.stringify(errors)}`);
  });
}
