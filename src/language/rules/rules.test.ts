import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '../../base/diagnostic.ts';
import { createLanguageService, type LanguageService } from '../languageService.ts';

/** A service that knows the files of one text: each begins with a line `=== path`. */
function serviceFor(files: string): LanguageService {
  const service = createLanguageService({ uriOf: (path) => `file:///${path}` });
  for (const part of files.split(/^=== /m).slice(1)) {
    const end = part.indexOf('\n');
    service.setFile(part.slice(0, end), part.slice(end + 1));
  }
  return service;
}

/** Every diagnostic as `path:line:column: severity: message (hint) [code]`. */
function report(service: LanguageService): string[] {
  return [...service.paths()].flatMap((path) =>
    service.diagnostics(path).map((diagnostic) => `${formatDiagnostic(diagnostic)} [${diagnostic.code}]`),
  );
}

function check(name: string, files: string, expected: readonly string[]): void {
  test(name, () => assert.deepEqual(report(serviceFor(files)), expected));
}

const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: { name: flux-system, namespace: flux-system }
spec: { interval: 1m, url: "https://example.com/fleet.git", ref: { branch: main } }
`;

function kustomization(name: string, spec: string): string {
  return `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  interval: 10m
  prune: true
  sourceRef: { kind: GitRepository, name: flux-system }
${spec}`;
}

const configMap = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  mode: fast
`;

check(
  'says nothing about a repository in order',
  `=== flux/sync.yaml
${source}---
${kustomization('apps', '  path: ./apps\n  dependsOn:\n    - name: infra\n')}---
${kustomization('infra', '  path: ./infra\n')}=== apps/kustomization.yaml
resources: [settings.yaml]
=== apps/settings.yaml
${configMap}=== infra/settings.yaml
${configMap}`,
  [],
);

check(
  'reports a field that does not exist, with the one that was meant',
  `=== a.yaml
${source.replace('interval', 'intervall')}`,
  [
    'a.yaml:4:1: error: spec.interval is required [missing-field]',
    'a.yaml:4:9: error: intervall is not a field of spec (did you mean interval?) [unknown-field]',
  ],
);

check(
  'reports a field at the wrong indentation with its home',
  `=== a.yaml
${source}---
${kustomization('apps', '  path: ./\n  postBuild:\n    wait: true\n')}`,
  [
    'a.yaml:17:5: error: wait is not a field of spec.postBuild (spec has a field wait: check the indentation) [unknown-field]',
  ],
);

check(
  'reports values of the wrong type, with the quotes to add or remove',
  `=== a.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data: { port: 80 }
=== b.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: "2"
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers: { name: web }
`,
  [
    'a.yaml:4:15: error: data.port must be a string, not an integer (quote it: "80") [wrong-type]',
    'b.yaml:5:13: error: spec.replicas must be an integer, not a string (remove the quotes: 2) [wrong-type]',
    'b.yaml:10:7: error: spec.template.spec.containers must be a list of objects, not a mapping [wrong-type]',
  ],
);

check(
  'reports a field without a value where the server takes none',
  `=== a.yaml
${source}---
${kustomization('apps', '  path:\n  timeout: ~\n').replace('interval: 10m', 'interval:')}=== b.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: a }
data:
`,
  [
    'a.yaml:11:1: error: spec.interval is required [missing-field]',
    'a.yaml:15:3: error: spec.path has no value (give it a string, or remove it) [wrong-type]',
    'a.yaml:16:3: error: spec.timeout has no value (give it a string, or remove it) [wrong-type]',
  ],
);

check(
  'reports values outside their set, pattern, form or size',
  `=== a.yaml
${source}---
${kustomization(
  'apps',
  `  timeout: 5 minutes
  deletionPolicy: orphan
  targetNamespace: ""
  buildMetadata: [origin]
`,
)}=== b.yaml
apiVersion: v1
kind: Secret
metadata: { name: s }
data: { password: secret! }
=== c.yaml
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: 10 GB } }
`,
  [
    'a.yaml:15:12: error: spec.timeout is not a duration (write it as 30s or 5m30s: units are ms, s, m and h) [invalid-value]',
    'a.yaml:16:19: error: spec.deletionPolicy must be one of MirrorPrune, Delete, WaitForTermination, Orphan, not "orphan" (did you mean Orphan?) [invalid-value]',
    'a.yaml:17:20: error: spec.targetNamespace must not be empty [invalid-value]',
    'a.yaml:18:19: error: spec.buildMetadata[0] must be one of originAnnotations, transformerAnnotations, not "origin" [invalid-value]',
    'b.yaml:4:19: error: data.password is not base64 (plain text goes into stringData) [invalid-value]',
    'c.yaml:6:37: error: spec.resources.requests.storage is not a quantity (write it as 500m, 128Mi or 2) [invalid-value]',
  ],
);

check(
  'leaves values alone that are substituted or decrypted later',
  `=== a.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: "\${app}-web", labels: { tier: "\${tier:=gold level}" } }
spec:
  replicas: \${replicas:=2}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, imagePullPolicy: "\${pull}" }] }
=== b.yaml
apiVersion: v1
kind: Secret
metadata: { name: s }
data: { password: "ENC[AES256_GCM,data:x,type:str]" }
sops: { mac: "ENC[AES256_GCM,data:x,type:str]" }
`,
  [],
);

check(
  'reports removed versions with the one to use',
  `=== a.yaml
apiVersion: helm.toolkit.fluxcd.io/v2beta1
kind: HelmRelease
metadata: { name: redis }
---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: { name: strict }
---
apiVersion: extensions/v1beta1
kind: Ingress
metadata: { name: web }
`,
  [
    'a.yaml:1:13: error: HelmRelease is no longer served as helm.toolkit.fluxcd.io/v2beta1 since Flux 2.8 (use apiVersion helm.toolkit.fluxcd.io/v2) [removed-api-version]',
    'a.yaml:5:13: error: PodSecurityPolicy is no longer served as policy/v1beta1 since Kubernetes 1.25 (it has no successor) [removed-api-version]',
    'a.yaml:9:13: error: Ingress is no longer served as extensions/v1beta1 since Kubernetes 1.22 (use apiVersion networking.k8s.io/v1) [removed-api-version]',
  ],
);

check(
  'reports kinds that a known group does not have, and stays silent about unknown groups',
  `=== a.yaml
apiVersion: apps/v1
kind: Deploymnet
metadata: { name: web }
---
apiVersion: v1
kind: Deployment
metadata: { name: web }
---
apiVersion: example.com/v1
kind: Anything
metadata: { name: web }
`,
  [
    'a.yaml:2:7: error: there is no kind Deploymnet in apps/v1 (did you mean Deployment?) [unknown-kind]',
    'a.yaml:5:13: error: Deployment is not served as v1 (use apiVersion apps/v1) [unknown-kind]',
  ],
);

check(
  'checks custom resources against a definition in the workspace',
  `=== crd.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: teams.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { kind: Team, plural: teams }
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [size]
              properties: { size: { type: integer, maximum: 9 } }
=== team.yaml
apiVersion: example.com/v1
kind: Team
metadata: { name: blue }
spec: { size: 12, lead: ann }
`,
  [
    'team.yaml:4:15: error: spec.size must be at most 9 [invalid-value]',
    'team.yaml:4:19: error: lead is not a field of spec [unknown-field]',
  ],
);

check(
  'reports names and labels that the server refuses',
  `=== a.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: My_Settings
  labels: { "a/b/c": x, team: "blue team" }
---
apiVersion: v1
kind: ConfigMap
metadata: { namespace: apps }
`,
  [
    'a.yaml:4:9: error: "My_Settings" cannot be the name of a ConfigMap (use at most 253 lower case letters, digits, - and .) [invalid-name]',
    'a.yaml:5:13: error: a/b/c cannot be the key of a label (use letters, digits, - _ . and at most one domain before a /) [invalid-value]',
    'a.yaml:5:31: error: "blue team" cannot be the value of a label (use at most 63 letters, digits, - _ and ., or put it into an annotation) [invalid-value]',
    'a.yaml:9:11: error: metadata.name is required [missing-field]',
  ],
);

check(
  'reports list elements that server-side apply refuses as duplicates',
  `=== a.yaml
apiVersion: v1
kind: Pod
metadata: { name: a }
spec:
  containers:
    - name: a
      env:
        - name: MODE
          value: x
        - name: MODE
          value: z
      ports:
        - { containerPort: 53, protocol: TCP }
        - { containerPort: 53, protocol: UDP }
`,
  [
    'a.yaml:10:11: error: spec.containers[0].env[1] has the same name as spec.containers[0].env[0] [duplicate-item]',
  ],
);

check(
  'asks nothing of a patch but that its fields exist',
  `=== kustomization.yaml
resources: [deployment.yaml]
patches:
  - path: patch.yaml
=== deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web }] }
=== patch.yaml
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replica: 3
  template: { spec: { $patch: replace } }
`,
  ['patch.yaml:5:3: warning: replica is not a field of spec (did you mean replicas?) [unknown-field]'],
);

check(
  'reports what a kustomization names and what is not there',
  `=== apps/kustomization.yaml
resources:
  - setings.yaml
  - ../infra
  - ../nowhere
  - https://example.com/all.yaml
  - github.com/example/fleet//apps?ref=v1
  - ../../outside
patches:
  - path: patch.yaml
configMapGenerator:
  - name: files
    files: [conf=settings.toml]
=== apps/settings.yaml
${configMap}=== infra/settings.yaml
${configMap}`,
  [
    'apps/kustomization.yaml:2:5: error: there is no setings.yaml here (did you mean settings.yaml?) [missing-resource]',
    'apps/kustomization.yaml:3:5: error: the folder ../infra has no kustomization.yaml (add one, or list its files instead) [missing-kustomization]',
    'apps/kustomization.yaml:4:5: error: there is no ../nowhere here [missing-resource]',
    'apps/kustomization.yaml:7:5: information: ../../outside leads out of this folder (open the folder above to have it checked; kustomize in Flux cannot leave the source either) [path-outside-workspace]',
    'apps/kustomization.yaml:9:11: error: there is no patch.yaml here [missing-resource]',
    'apps/kustomization.yaml:12:13: error: there is no settings.toml here (did you mean conf=settings.yaml?) [missing-resource]',
  ],
);

check(
  'reports fields of a kustomization that kustomize refuses',
  `=== kustomization.yaml
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomisation
resource: []
namePrefix: 7
replicas:
  - name: web
    count: three
`,
  [
    'kustomization.yaml:2:7: error: kustomize knows no Kustomisation in kustomize.config.k8s.io/v1beta1 (write apiVersion: kustomize.config.k8s.io/v1beta1 and kind: Kustomization, or leave both out) [unknown-kind]',
    'kustomization.yaml:3:1: error: resource is not a field of Kustomization (did you mean resources?) [unknown-field]',
    'kustomization.yaml:4:13: error: namePrefix must be a string, not an integer (quote it: "7") [wrong-type]',
    'kustomization.yaml:7:12: error: replicas[0].count must be an integer, not a string [wrong-type]',
  ],
);

check(
  'reports references to objects that are nowhere',
  `=== a.yaml
${source}---
${kustomization('apps', '  path: ./\n  dependsOn: [{ name: infrastructure }]\n').replace('name: flux-system }', 'name: flux-sytem }')}---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: { name: all, namespace: apps }
spec:
  providerRef: { name: slack }
  eventSources: [{ kind: Kustomization, name: "*" }]
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: { name: slack, namespace: flux-system }
spec: { type: slack }
`,
  [
    'a.yaml:14:43: warning: there is no GitRepository/flux-system/flux-sytem in this workspace (did you mean flux-system?) [missing-source]',
    'a.yaml:16:23: warning: there is no Kustomization/flux-system/infrastructure in this workspace [missing-dependency]',
    "a.yaml:22:24: warning: there is no Provider/apps/slack in this workspace (there is one in namespace flux-system: set the reference's namespace) [missing-reference]",
  ],
);

check(
  'takes a name for found when an overlay renames or places it, or a generator makes it',
  `=== base/source.yaml
${source.replaceAll('flux-system', 'fleet').replace(', namespace: fleet', '')}=== base/kustomization.yaml
namePrefix: prod-
namespace: flux-system
resources: [source.yaml, apps.yaml]
=== base/apps.yaml
${kustomization('apps', '').replace('name: flux-system }', 'name: prod-fleet }')}---
${kustomization('split', '').replace('kind: GitRepository, name: flux-system }', 'kind: ExternalArtifact, name: part }')}---
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: { name: split, namespace: flux-system }
spec:
  sources: [{ alias: fleet, kind: GitRepository, name: prod-fleet }]
  artifacts: [{ name: part, copy: [{ from: "@fleet/apps/**", to: "@artifact/" }] }]
`,
  [],
);

check(
  'reports a path that is not in this repository',
  `=== flux/sync.yaml
${source}---
${kustomization('apps', '  path: ./app\n')}---
${kustomization('file', '  path: ./apps/settings.yaml\n')}---
${kustomization('out', '  path: ../elsewhere\n')}---
${kustomization('flux-system', '  path: ./flux\n')}=== apps/settings.yaml
${configMap}`,
  [
    'flux/sync.yaml:15:9: error: there is no folder ./app in this workspace (did you mean ./apps?) [missing-path]',
    'flux/sync.yaml:26:9: error: ./apps/settings.yaml is a file, not a folder (use ./apps: a path names a folder) [missing-path]',
    'flux/sync.yaml:37:9: error: ../elsewhere leads out of the source [missing-path]',
  ],
);

check(
  'finds paths of a repository that lies deeper in the workspace',
  `=== fleets/one/flux/sync.yaml
${source}---
${kustomization('apps', '  path: ./apps\n')}---
${kustomization('infra', '  path: ./infra\n')}=== fleets/one/apps/settings.yaml
${configMap}`,
  ['fleets/one/flux/sync.yaml:26:9: error: there is no folder ./infra in this workspace [missing-path]'],
);

check(
  'does not judge paths of a repository that is another one',
  `=== a.yaml
${source.replaceAll('flux-system', 'other')}---
${kustomization('apps', '  path: ./deploy\n').replaceAll('flux-system', 'other')}`,
  [],
);

check(
  'reports dependencies that wait for each other',
  `=== a.yaml
${source}---
${kustomization('a', '  dependsOn: [{ name: b }]\n')}=== b.yaml
${kustomization('b', '  dependsOn: [{ name: c }]\n')}---
${kustomization('c', '  dependsOn: [{ name: a }, { name: c }]\n')}`,
  [
    'a.yaml:15:23: error: dependencies form a cycle: Kustomization/flux-system/a → Kustomization/flux-system/b → Kustomization/flux-system/c → Kustomization/flux-system/a (remove one of the dependencies) [dependency-cycle]',
    'b.yaml:10:23: error: dependencies form a cycle: Kustomization/flux-system/b → Kustomization/flux-system/c → Kustomization/flux-system/a → Kustomization/flux-system/b (remove one of the dependencies) [dependency-cycle]',
    'b.yaml:21:23: error: dependencies form a cycle: Kustomization/flux-system/c → Kustomization/flux-system/a → Kustomization/flux-system/b → Kustomization/flux-system/c (remove one of the dependencies) [dependency-cycle]',
    'b.yaml:21:36: error: Kustomization/flux-system/c depends on itself (remove one of the dependencies) [dependency-cycle]',
  ],
);

check(
  'follows dependencies within a cluster, not across clusters of the same names',
  `=== prod/all.yaml
${source}---
${kustomization('a', '  dependsOn: [{ name: b }]\n')}---
${kustomization('b', '')}=== staging/all.yaml
${source}---
${kustomization('b', '  dependsOn: [{ name: a }]\n')}---
${kustomization('a', '')}`,
  [],
);

check(
  'reports an object that a build would hold twice',
  `=== kustomization.yaml
resources: [a.yaml, b.yaml]
=== a.yaml
${configMap}=== b.yaml
${configMap}---
${configMap}=== other/c.yaml
${configMap}`,
  [
    'a.yaml:4:9: error: ConfigMap/settings is defined twice: also in b.yaml (keep one of the two, or rename it) [duplicate-object]',
    'b.yaml:4:9: error: ConfigMap/settings is defined twice: also in a.yaml (keep one of the two, or rename it) [duplicate-object]',
    'b.yaml:11:9: error: ConfigMap/settings is defined twice: also at line 1 (keep one of the two, or rename it) [duplicate-object]',
  ],
);

check(
  'reports broken YAML only in files of its own, and goes on behind it',
  `=== broken.yaml
apiVersion: v1
kind: ConfigMap
metadata: name: a
---
apiVersion: v1
kind: ConfigMap
metadata: { name: b }
dta: {}
=== values.yaml
a: b: c
=== chart/Chart.yaml
name: chart
=== chart/templates/cm.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ .Release.Name }} }
`,
  [
    'broken.yaml:3:15: error: unexpected text after the value (quote the whole value) [yaml-syntax]',
    'broken.yaml:8:1: warning: dta is not a field of ConfigMap (did you mean data?) [unknown-field]',
  ],
);

const unlabelled = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web }] }
`;

check(
  'leaves to overlays what they add: selectors from labels, namespaces, perhaps anything from patches',
  `=== labelled/kustomization.yaml
resources: [../base]
commonLabels: { app: web }
=== base/kustomization.yaml
resources: [web.yaml]
=== base/web.yaml
${unlabelled}=== patched/kustomization.yaml
resources: [web.yaml]
patches: [{ path: patch.yaml }]
=== patched/web.yaml
${unlabelled}=== patched/patch.yaml
${unlabelled}=== placed/kustomization.yaml
namespace: apps
resources: [namespace.yaml]
=== placed/namespace.yaml
apiVersion: v1
kind: Namespace
metadata: { name: _ }
=== plain/web.yaml
${unlabelled}`,
  [
    'patched/web.yaml:4:1: warning: spec.selector is required (unless an overlay adds it) [missing-field]',
    'plain/web.yaml:4:1: error: spec.selector is required [missing-field]',
  ],
);

check(
  'judges no settings of tools, no templates and nothing that is put aside',
  `=== .fluxschema.yml
apiVersion: schema.plugin.fluxcd.io/v1beta1
kind: Config
=== .archive/web.yaml
${unlabelled}=== kind.yaml
apiVersion: kind.x-k8s.io/v1alpha4
kind: Cluster
nodes: []
=== template.yaml
apiVersion: v1
kind: ConfigMap
metadata: { name: {{ name }} }
=== overlays/webhook_patch.yaml
${unlabelled}=== patches/web.yaml
${unlabelled}`,
  [],
);

check(
  'takes what bootstrap makes for there',
  `=== apps/ks.yaml
${kustomization('apps', '').replace('name: flux-system }', 'name: flux-system, namespace: flux-system }')}`,
  [],
);

check(
  'asks nothing of kinds that only the cluster may know, in a group of which the workspace defines another',
  `=== a.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: teams.example.com }
spec:
  group: example.com
  scope: Cluster
  names: { kind: Team, plural: teams }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object } } }]
---
apiVersion: example.com/v1
kind: Player
metadata: { name: ann }
`,
  [],
);
