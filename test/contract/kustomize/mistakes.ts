/** A mistake in a kustomization or a file it names, and what is said about it. */
export interface Mistake {
  readonly kustomization: string;
  /** Place, words and remedy. */
  readonly error: string;
  /** Files on top of those that are there in every case. */
  readonly files?: Readonly<Record<string, string>>;
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - {name: web, image: nginx}
`;
const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n';

/** Files that every case may name. */
export const presentFiles: Readonly<Record<string, string>> = {
  'a.yaml': deployment,
  'b.yaml': configMap,
  'sub/kustomization.yaml': 'resources: [x.yaml]\n',
  'sub/x.yaml': configMap.replace('conf', 'sub'),
  'comp/kustomization.yaml':
    'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: c-\n',
  'bad.yaml': 'a: [\n',
  'text.txt': 'hello\n',
  'v.env': 'A=1\nA=2\n',
};

/** Field by field, what a user can get wrong. */
export const mistakes: readonly Mistake[] = [
  {
    kustomization: 'resources: a.yaml\n',
    error: "kustomization.yaml:1:12: error: resources must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: {a: b}\n',
    error: "kustomization.yaml:1:12: error: resources must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [1]\n',
    error: 'kustomization.yaml:1:13: error: resources[0] must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [{path: a.yaml}]\n',
    error: 'kustomization.yaml:1:13: error: resources[0] must be text, not a mapping or list',
  },
  {
    kustomization: 'resources:\n',
    error: 'kustomization.yaml:1:1: error: the kustomization is empty (list files under resources)',
  },
  {
    kustomization: 'resource: [a.yaml]\n',
    error: 'kustomization.yaml:1:1: error: unknown field "resource" (did you mean resources?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatch: []\n',
    error: 'kustomization.yaml:2:1: error: unknown field "patch" (did you mean patches?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nimages: [{name: nginx, tag: "1"}]\n',
    error: 'kustomization.yaml:2:24: error: unknown field "tag" (did you mean newTag?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nimages: [{name: nginx, newTag: 1.0}]\n',
    error: 'kustomization.yaml:2:32: error: newTag must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nimages: {nginx: {newTag: "1"}}\n',
    error: "kustomization.yaml:2:9: error: images must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplicas: [{name: web, count: "3"}]\n',
    error: 'kustomization.yaml:2:31: error: count must be an integer',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplicas: [{name: nobody, count: 3}]\n',
    error:
      'kustomization.yaml:2:19: error: there is nothing to scale with the name nobody (the name is the one in the base, without prefix and suffix of this kustomization; kinds: Deployment, StatefulSet, ReplicaSet, ReplicationController)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplicas: {web: 3}\n',
    error: "kustomization.yaml:2:11: error: replicas must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nnamespace: [a]\n',
    error: 'kustomization.yaml:2:12: error: namespace must be text, not a mapping or list',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nnamespace: 1\n',
    error: 'kustomization.yaml:2:12: error: namespace must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nnamePrefix: true\n',
    error: 'kustomization.yaml:2:13: error: namePrefix must be text, not the boolean true (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: {a: b}\n',
    error: "kustomization.yaml:2:9: error: labels must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: [{pairs: [a]}]\n',
    error: 'kustomization.yaml:2:18: error: pairs must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: [{pairs: {a: 1}}]\n',
    error: 'kustomization.yaml:2:22: error: pairs.a must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: [{pairs: {a: b}, includeSelectors: "yes"}]\n',
    error: 'kustomization.yaml:2:44: error: includeSelectors must be true or false',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: [{pairs: {a: b}, includeSelector: true}]\n',
    error: 'kustomization.yaml:2:26: error: unknown field "includeSelector" (did you mean includeSelectors?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncommonLabels: {a: 1}\n',
    error: 'kustomization.yaml:2:19: error: commonLabels.a must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncommonAnnotations: {a: true}\n',
    error:
      'kustomization.yaml:2:24: error: commonAnnotations.a must be text, not the boolean true (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncommonLabels: [a]\n',
    error: 'kustomization.yaml:2:15: error: commonLabels must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{literals: [a=b]}]\n',
    error: 'kustomization.yaml:2:22: error: the ConfigMap to generate has no name (set name)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: {name: x}\n',
    error: "kustomization.yaml:2:21: error: configMapGenerator must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, literals: {a: b}}]\n',
    error: "kustomization.yaml:2:42: error: literals must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, literals: [a]}]\n',
    error: 'kustomization.yaml:2:43: error: invalid literal "a" (write key=value)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, literals: [a=b, a=c]}]\n',
    error: 'kustomization.yaml:2:48: error: ConfigMap x has the key "a" twice (remove one)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, files: [gone.ini]}]\n',
    error: 'kustomization.yaml:2:40: error: there is no file gone.ini',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, files: ["=text.txt"]}]\n',
    error: 'kustomization.yaml:2:40: error: "=text.txt" lacks a key (write key=path)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, files: ["a=b=text.txt"]}]\n',
    error: 'kustomization.yaml:2:40: error: "a=b=text.txt": a key or path must not contain =',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, files: [sub]}]\n',
    error: 'kustomization.yaml:2:40: error: sub is a folder, a file is expected here',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, envs: [v.env]}]\n',
    error: 'kustomization.yaml:2:39: error: ConfigMap x has the key "A" twice (remove one)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, envs: v.env}]\n',
    error: "kustomization.yaml:2:38: error: envs must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, env: [v.env]}]\n',
    error: 'kustomization.yaml:2:37: error: env must be text, not a mapping or list',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, behavior: merge, literals: [a=b]}]\n',
    error:
      'kustomization.yaml:2:22: error: there is no ConfigMap x to merge (its name is the one in the base, and it must be in the same namespace)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nsecretGenerator: [{name: x, behavior: replace, literals: [a=b]}]\n',
    error:
      'kustomization.yaml:2:19: error: there is no Secret x to replace (its name is the one in the base, and it must be in the same namespace)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: conf, behavior: create, literals: [a=b]}]\n',
    error:
      'kustomization.yaml:2:22: error: ConfigMap conf is there already (set behavior: merge or behavior: replace to change it)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, literals: [a=b]}, {name: x, literals: [a=b]}]\n',
    error:
      'kustomization.yaml:2:50: error: ConfigMap x is there already (set behavior: merge or behavior: replace to change it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nsecretGenerator: [{name: x, type: 1, literals: [a=b]}]\n',
    error: 'kustomization.yaml:2:35: error: type must be text, not the number 1 (quote it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ngeneratorOptions: {disableNameSuffix: true}\n',
    error:
      'kustomization.yaml:2:20: error: unknown field "disableNameSuffix" (did you mean disableNameSuffixHash?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ngeneratorOptions: {labels: {a: 1}}\n',
    error: 'kustomization.yaml:2:32: error: labels.a must be text, not the number 1 (quote it)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nconfigMapGenerator: [{name: x, options: {disableNameSuffixHash: "true"}, literals: [a=b]}]\n',
    error: 'kustomization.yaml:2:65: error: disableNameSuffixHash must be true or false',
  },
  {
    kustomization: 'resources: [a.yml]\n',
    error: 'kustomization.yaml:1:13: error: there is no file a.yml (did you mean a.yaml?)',
  },
  {
    kustomization: 'resources: [subs]\n',
    error: 'kustomization.yaml:1:13: error: there is no file subs',
  },
  {
    kustomization: 'resources: [empty]\n',
    error:
      'empty/kustomization.yaml:1:1: error: this folder has no kustomization.yaml (add one, or name the files instead of the folder)',
    files: { 'empty/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n' },
  },
  {
    kustomization: 'resources: [comp]\n',
    error: 'kustomization.yaml:1:13: error: comp is a component (list it under components)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncomponents: [sub]\n',
    error:
      'kustomization.yaml:2:14: error: sub is a kustomization, not a component (list it under resources, or set kind: Component there)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncomponents: [b.yaml]\n',
    error: 'kustomization.yaml:2:14: error: b.yaml is a file, a folder is expected here',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncomponents: [gone]\n',
    error: 'kustomization.yaml:2:14: error: there is no file or folder gone',
  },
  {
    kustomization: 'resources: [a.yaml, a.yaml]\n',
    error:
      'a.yaml:1:1: error: Deployment web is there twice (also in a.yaml) (remove one, or rename one with a namePrefix or namespace of its own)',
  },
  {
    kustomization: 'resources: [a.yaml, c.yaml]\n',
    error:
      'c.yaml:1:1: error: Deployment web is there twice (also in a.yaml) (remove one, or rename one with a namePrefix or namespace of its own)',
    files: {
      'c.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:11:1: error: Deployment web is there twice (also in c.yaml) (remove one, or rename one with a namePrefix or namespace of its own)',
    files: {
      'c.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [bad.yaml]\n',
    error: 'bad.yaml:2:1: error: a list or mapping in brackets is not closed',
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:1:1: error: this document is no Kubernetes object: it has no apiVersion, kind and metadata (a file that is no manifest does not belong into resources)',
    files: { 'c.yaml': 'a: b\n' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error: 'c.yaml:1:1: error: the object has no kind (add kind)',
    files: { 'c.yaml': 'apiVersion: v1\nmetadata: {name: x}\n' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:2:7: error: the Pod has no metadata.name (give it a name; generateName is not supported by kustomize)',
    files: { 'c.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {}\n' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:2:7: error: the Pod has no metadata.name (give it a name; generateName is not supported by kustomize)',
    files: { 'c.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {generateName: x-}\n' },
  },
  {
    kustomization: 'resources: [text.txt]\n',
    error:
      'text.txt:1:1: error: this document is no Kubernetes object: it has no apiVersion, kind and metadata (a file that is no manifest does not belong into resources)',
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error: 'c.yaml:4:1: error: a tab is used for indentation (indent with spaces)',
    files: { 'c.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n\tname: x\n' },
  },
  {
    kustomization: 'resources: [c.json]\n',
    error:
      'c.json:1:10: error: the Pod has no metadata.name (give it a name; generateName is not supported by kustomize)',
    files: { 'c.json': '{"kind": "Pod",}' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:5:3: error: this line is indented more than the mapping it belongs to (check the indentation)',
    files: {
      'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n  note: a: b\n',
    },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error:
      'c.yaml:5:2: error: this line is indented more than the mapping it belongs to (check the indentation)',
    files: { 'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n labels: {}\n' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error: 'c.yaml:5:1: error: the key "data" is given twice (remove one of them)',
    files: { 'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\ndata: {}\n' },
  },
  {
    kustomization: 'resources: [c.yaml]\n',
    error: 'c.yaml:5:4: error: the anchor y is not defined before this alias',
    files: { 'c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\nx: *y\n' },
  },
  {
    kustomization: 'resources: [a.yaml\n',
    error: 'kustomization.yaml:1:12: error: the list is not closed (close it with ])',
  },
  {
    kustomization: '- a.yaml\n',
    error: 'kustomization.yaml:1:1: error: the kustomization must be a mapping',
  },
  {
    kustomization: '',
    error: 'kustomization.yaml:1:1: error: the kustomization is empty (list files under resources)',
  },
  {
    kustomization: '# x\n',
    error: 'kustomization.yaml:1:1: error: the kustomization is empty (list files under resources)',
  },
  {
    kustomization: 'kind: Kustomisation\nresources: [a.yaml]\n',
    error:
      'kustomization.yaml:1:7: error: kind must be Kustomization or Component, not Kustomisation (write kind: Kustomization, or leave kind and apiVersion out)',
  },
  {
    kustomization: 'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nresources: [a.yaml]\n',
    error:
      'kustomization.yaml:1:13: error: apiVersion must be kustomize.config.k8s.io/v1beta1 (this is a Flux Kustomization; it belongs into another file)',
  },
  {
    kustomization: 'apiVersion: kustomize.config.k8s.io/v1\nkind: Kustomization\nresources: [a.yaml]\n',
    error: 'kustomization.yaml:1:13: error: apiVersion must be kustomize.config.k8s.io/v1beta1',
  },
  {
    kustomization: 'resources: [a.yaml]\n',
    error:
      'kustomization.yaml:1:1: error: this folder has several kustomization files: kustomization.yaml, kustomization.yml (keep one of them)',
    files: { 'kustomization.yml': 'resources: [b.yaml]\n' },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: a.yaml\n',
    error: "kustomization.yaml:2:10: error: patches must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [p.yaml]\n',
    error: 'kustomization.yaml:2:11: error: patches[0] must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{patches: p.yaml}]\n',
    error: 'kustomization.yaml:2:12: error: unknown field "patches" (did you mean patch?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: Deployment}}]\n',
    error:
      'kustomization.yaml:2:11: error: a patch needs patch or path (add the text, or the path of a file)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: b.yaml, patch: "a: b"}]\n',
    error: 'kustomization.yaml:2:11: error: a patch has either patch or path (remove one of them)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error: 'kustomization.yaml:2:18: error: there is no file p.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error:
      'p.yaml:3:18: error: the patch changes Deployment wbe, which is not among the resources (check apiVersion, kind, name and namespace of the patch)',
    files: {
      'p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error:
      'p.yaml:3:18: error: the patch changes Deployment web, which is not among the resources (there is one with apiVersion apps/v1 and no namespace)',
    files: {
      'p.yaml':
        'apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error:
      'p.yaml:3:18: error: the patch changes Deployment x/web, which is not among the resources (there is one with apiVersion apps/v1 and no namespace)',
    files: {
      'p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: x}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {knd: Deployment}, path: b.yaml}]\n',
    error: 'kustomization.yaml:2:21: error: unknown field "knd" (did you mean kind?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {name: "we(b"}, path: b.yaml}]\n',
    error:
      'kustomization.yaml:2:27: error: invalid regular expression "^(?:we(b)$": error parsing regexp: missing closing ): `^(?:we(b)$`',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: "["}, path: b.yaml}]\n',
    error:
      'kustomization.yaml:2:27: error: invalid regular expression "^(?:[)$": error parsing regexp: missing closing ]: `[)$`',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {annotationSelector: "a in b"}, path: b.yaml}]\n',
    error:
      'kustomization.yaml:2:20: error: invalid selector "a in b" (write app=web,tier!=db or env in (a,b))',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, path: p.yaml}]\n',
    error:
      'kustomization.yaml:2:45: error: a patch with a target must be a single document (make one entry of each)',
    files: {
      'p.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, path: bad.yaml}]\n',
    error: 'bad.yaml:2:1: error: a list or mapping in brackets is not closed',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, path: b.yaml, options: {allowNameChanges: true}}]\n',
    error: 'kustomization.yaml:2:63: error: unknown field "allowNameChanges" (did you mean allowNameChange?)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error: 'p.yaml:9:9: error: the patch has a mapping where the object has a list',
    files: {
      'p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n        name: web\n',
    },
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{patch: "- {op: add, path: /data/x, value: y}"}]\n',
    error: 'kustomization.yaml:2:19: error: a JSON 6902 patch needs a target (add target with kind and name)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: ad, path: /data/x, value: y}"}]\n',
    error:
      'kustomization.yaml:2:46: error: cannot ad /data/x: unknown operation "ad" (write add, remove, replace, move, copy or test)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: add, path: /metadata/labels/a, value: y}"}]\n',
    error:
      'kustomization.yaml:2:46: error: cannot add /metadata/labels/a: the object has no "labels" on the way (add the missing parent first, or check the path; in it / is written ~1)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: remove, path: /data/x}"}]\n',
    error:
      'kustomization.yaml:2:46: error: cannot remove /data/x: there is no "x" to remove (check the path; in it / is written ~1)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: test, path: /data/k, value: x}"}]\n',
    error: 'kustomization.yaml:2:46: error: cannot test /data/k: the value is another one',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: remove}"}]\n',
    error: 'kustomization.yaml:2:46: error: cannot remove: the operation has no path',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: remove, path: 1}"}]\n',
    error: 'kustomization.yaml:2:46: error: path must be text',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: move, path: /data/x}"}]\n',
    error: 'kustomization.yaml:2:46: error: cannot move /data/x: the operation has no from',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: Deployment}, patch: "- {op: replace, path: /spec/template/spec/containers/3/image, value: x}"}]\n',
    error:
      'kustomization.yaml:2:47: error: cannot replace /spec/template/spec/containers/3/image: the object has no "3" on the way (add the missing parent first, or check the path; in it / is written ~1)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: Deployment}, patch: "- {op: replace, path: /spec/template/spec/containers/web/image, value: x}"}]\n',
    error:
      'kustomization.yaml:2:47: error: cannot replace /spec/template/spec/containers/web/image: the object has no "web" on the way (add the missing parent first, or check the path; in it / is written ~1)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "- {op: replace, path: /metadata/annotations/a.b/c, value: x}"}]\n',
    error:
      'kustomization.yaml:2:46: error: cannot replace /metadata/annotations/a.b/c: the object has no "a.b" on the way (add the missing parent first, or check the path; in it / is written ~1)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatches: [{target: {kind: ConfigMap}, patch: "[{op: add}]"}]\n',
    error:
      'kustomization.yaml:2:46: error: a patch that starts with [ must be JSON (quote keys and texts, or write YAML in lines)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatchesJson6902: [{target: {kind: ConfigMap, name: conf}, patch: "op: add"}]\n',
    error: 'kustomization.yaml:2:66: error: a JSON 6902 patch is a list of operations',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatchesJson6902: [{patch: "- {op: remove, path: /data}"}]\n',
    error: 'kustomization.yaml:2:19: error: the patch must name its target (add target.name)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\npatchesJson6902: [{target: {kind: ConfigMap}, patch: "- {op: remove, path: /data}"}]\n',
    error: 'kustomization.yaml:2:28: error: the patch must name its target (add target.name)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatchesStrategicMerge: [p.yaml]\n',
    error: 'kustomization.yaml:2:25: error: there is no file p.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatchesStrategicMerge: ["a: ["]\n',
    error: 'kustomization.yaml:2:25: error: there is no file a: [',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatchesStrategicMerge: [p.yaml]\n',
    error:
      'p.yaml:3:18: error: the patch changes Deployment wbe, which is not among the resources (check apiVersion, kind, name and namespace of the patch)',
    files: {
      'p.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\npatches: [{path: p.yaml}]\n',
    error: 'p.yaml:5:9: error: unknown $patch directive "remove" (use merge, replace or delete)',
    files: {
      'p.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n$patch: remove\n',
    },
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error:
      'kustomization.yaml:2:16: error: a replacement needs a source and at least one target (add source and targets, or the path of a file that has them)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}}]\n',
    error:
      'kustomization.yaml:2:16: error: a replacement needs a source and at least one target (add source and targets, or the path of a file that has them)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, name: nobody}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error: 'kustomization.yaml:2:25: error: the source selects no object (check kind, name and namespace)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error:
      'kustomization.yaml:2:25: error: the source selects 2 objects (add kind, name or namespace until it is one)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, fieldPath: data.gone}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error:
      'kustomization.yaml:2:54: error: the source has no value at data.gone (check fieldPath; it starts at the root of the object)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, fieldPath: data.k}, targets: [{select: {kind: Deployment}, fieldPaths: [spec.gone.x]}]}]\n',
    error:
      'kustomization.yaml:2:115: error: Deployment web has no field spec.gone.x (set options.create to make it)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{fieldPaths: [metadata.name]}]}]\n',
    error: 'kustomization.yaml:2:54: error: a target must say what to select (add select)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{selct: {kind: Deployment}, fieldPaths: [a]}]}]\n',
    error: 'kustomization.yaml:2:55: error: unknown field "selct" (did you mean select?)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, fieldPath: data.k, options: {delimiter: "-", index: 4}}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error: 'kustomization.yaml:2:83: error: there is no part 4 in "v" (parts count from 0)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: Deployment}, fieldPaths: metadata.name}]}]\n',
    error: "kustomization.yaml:2:95: error: fieldPaths must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplacements: [{path: r.yaml}]\n',
    error: 'kustomization.yaml:2:23: error: there is no file r.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplacements: [{path: text.txt}]\n',
    error:
      'kustomization.yaml:2:23: error: text.txt holds no replacement (a mapping or a list of them is expected)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, fieldPath: data.k}, targets: [{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=gone].image"]}]}]\n',
    error:
      'kustomization.yaml:2:115: error: Deployment web has no field spec.template.spec.containers.[name=gone].image (set options.create to make it)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nreplacements: [{path: r.yaml, source: {kind: ConfigMap}}]\n',
    error: 'kustomization.yaml:2:23: error: a replacement is either inline or in a file',
    files: { 'r.yaml': '[]' },
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap, fieldPath: data, options: {delimiter: "-"}}, targets: [{select: {kind: Deployment}, fieldPaths: [metadata.name]}]}]\n',
    error: 'kustomization.yaml:2:81: error: only a single value can be split',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{select: {name: "("}, fieldPaths: [metadata.name]}]}]\n',
    error:
      'kustomization.yaml:2:70: error: invalid regular expression "^(?:()$": error parsing regexp: missing closing ): `^(?:()$`',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nreplacements: [{source: {kind: ConfigMap}, targets: [{select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.9.image"]}]}]\n',
    error: 'kustomization.yaml:2:96: error: the path asks for element 9, the list has 1',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nvars: [{name: A, objref: {apiVersion: v1, kind: Secret, name: x}}]\n',
    error:
      'kustomization.yaml:2:63: error: the var A names an object that is not among the resources (check kind, name and namespace of objref)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nvars: [{name: A, objref: {apiVersion: v1, kind: ConfigMap, name: conf}, fieldref: {fieldpath: data.gone}}]\n',
    error:
      'kustomization.yaml:2:95: error: the object of the var A has no field data.gone (check fieldref.fieldpath)',
    files: {
      'a.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n      - {name: web, image: nginx, args: ["$(A)"]}\n',
    },
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nvars: [{name: A, objref: {apiVersion: v1, kind: ConfigMap, name: conf}}, {name: A, objref: {apiVersion: v1, kind: ConfigMap, name: conf}}]\n',
    error: 'kustomization.yaml:2:81: error: the var A is defined twice',
  },
  {
    kustomization: 'resources: [c.yaml]\nnamespace: x\n',
    error: 'c.yaml:6:1: error: namespace makes two objects the same: ConfigMap x/conf (rename one of them)',
    files: {
      'c.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, namespace: a}\ndata: {k: v}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf, namespace: b}\ndata: {k: v}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nsortOptions: {order: fifoo}\n',
    error: 'kustomization.yaml:2:22: error: the order "fifoo" is unknown (write fifo or legacy)',
  },
  {
    kustomization:
      'resources: [a.yaml, b.yaml]\nsortOptions: {order: fifo, legacySortOptions: {orderFirst: [Namespace]}}\n',
    error: 'kustomization.yaml:2:47: error: legacySortOptions only count with order: legacy',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nsortOptions: fifo\n',
    error: 'kustomization.yaml:2:14: error: sortOptions must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nbuildMetadata: originAnnotations\n',
    error: "kustomization.yaml:2:16: error: buildMetadata must be a list (start each item with '- ')",
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nopenapi: {path: o.json}\n',
    error: 'kustomization.yaml:2:17: error: there is no file o.json',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nopenapi: o.json\n',
    error: 'kustomization.yaml:2:10: error: openapi must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncrds: [c.yaml]\n',
    error: 'kustomization.yaml:2:8: error: there is no file c.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncrds: [text.txt]\n',
    error:
      'text.txt:1:1: error: text.txt has no OpenAPI definitions (crds takes OpenAPI definitions by name)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncrds: [a.yaml]\n',
    error:
      'a.yaml:1:13: error: apiVersion must be a mapping (crds takes OpenAPI definitions by name; a CustomResourceDefinition belongs under resources)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigurations: [c.yaml]\n',
    error: 'kustomization.yaml:2:18: error: there is no file c.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nconfigurations: [c.yaml]\n',
    error: "c.yaml:2:13: error: namePrefix must be a list (start each item with '- ')",
    files: { 'c.yaml': 'nameReference: [{kind: ConfigMap, fieldSpecs: [{path: a}]}]\nnamePrefix: a\n' },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ntransformers: [t.yaml]\n',
    error: 't.yaml:1:1: error: there is no built-in transformer PrefixTransforme',
    files: { 't.yaml': 'apiVersion: builtin\nkind: PrefixTransforme\nmetadata: {name: x}\nprefix: a\n' },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ntransformers: [t.yaml]\n',
    error:
      't.yaml:1:1: error: the plugin X is not built in: programs and containers are never run in a build (only apiVersion: builtin is allowed, as in Flux)',
    files: {
      't.yaml':
        'apiVersion: v1\nkind: X\nmetadata: {name: x, annotations: {config.kubernetes.io/function: "exec: {path: ./x}"}}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ngenerators: [g.yaml]\n',
    error: 'kustomization.yaml:2:14: error: there is no file g.yaml',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nvalidators: [t.yaml]\n',
    error: 't.yaml:1:1: error: the validator PrefixTransformer changes objects',
    files: {
      't.yaml':
        'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefix: a\nfieldSpecs: [{path: metadata/name}]\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ntransformers: [t.yaml]\n',
    error: 't.yaml:1:1: error: PrefixTransformer needs fieldSpecs (add path: metadata/name)',
    files: { 't.yaml': 'apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefx: a\n' },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nhelmCharts: [{name: x, repo: https://x}]\n',
    error:
      'kustomization.yaml:2:14: error: Helm charts in a kustomization are not supported (Flux does not inflate them either; use a HelmRelease)',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nnamePrefix: [a]\n',
    error: 'kustomization.yaml:2:13: error: namePrefix must be text, not a mapping or list',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\ncomponents: [c2]\n',
    error:
      'kustomization.yaml:2:14: error: c2 is a kustomization, not a component (list it under resources, or set kind: Component there)',
    files: {
      'c2/kustomization.yaml': 'resources: [x.yaml]\n',
      'c2/x.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {k: v}\n',
    },
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nmetadata: x\n',
    error: 'kustomization.yaml:2:11: error: metadata must be a mapping',
  },
  {
    kustomization: 'resources: [/etc/passwd]\n',
    error:
      'kustomization.yaml:1:13: error: /etc/passwd is outside of the source (copy the file below the kustomization, or build with LoadRestrictionsNone as Flux does)',
  },
  {
    kustomization: 'resources: [../x.yaml]\n',
    error:
      'kustomization.yaml:1:13: error: ../x.yaml is outside of the source (copy the file below the kustomization, or build with LoadRestrictionsNone as Flux does)',
  },
  {
    kustomization: 'resources: [""]\n',
    error: 'kustomization.yaml:1:13: error: an empty path names no folder',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nimages: [nginx]\n',
    error: 'kustomization.yaml:2:10: error: images[0] must be a mapping',
  },
  {
    kustomization: 'resources: [a.yaml, b.yaml]\nlabels: [{pairs: {a: b}, fields: [{pth: spec/x}]}]\n',
    error: 'kustomization.yaml:2:36: error: unknown field "pth" (did you mean path?)',
  },
  {
    kustomization: 'resources:\n-a.yaml\n',
    error:
      "kustomization.yaml:2:1: error: this line is neither a key nor part of a value: expected ':' after a key (check the indentation, and that a blank follows the colon)",
  },
  {
    kustomization: 'resources: ["sub\\\\x.yaml"]\n',
    error: 'kustomization.yaml:1:13: error: there is no file sub\\x.yaml',
  },
  {
    kustomization: 'resources: [A.yaml]\n',
    error: 'kustomization.yaml:1:13: error: there is no file A.yaml (did you mean a.yaml?)',
  },
];
