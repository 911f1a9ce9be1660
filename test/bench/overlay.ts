/** The kustomization that is built: an overlay over a base of Deployments, each in a file of its own. */
export const overlayPath = 'overlays/prod';

/** The file of one Deployment. */
export function deploymentPath(index: number): string {
  return `base/app${index}.yaml`;
}

/**
 * An overlay that puts a prefix before every name, merges a strategic patch into every Deployment and overrides an image;
 * every fifth Deployment has a ConfigMap beside it, to which it refers by name.
 */
export function overlayFiles(deployments: number): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const names = Array.from({ length: deployments }, (_, index) => `app${index}.yaml`);
  files.set('base/kustomization.yaml', kustomization([`resources:`, ...names.map((name) => `  - ${name}`)]));
  for (let index = 0; index < deployments; index++) files.set(deploymentPath(index), deployment(index));
  files.set(`${overlayPath}/kustomization.yaml`, overlay('prod-'));
  files.set(`${overlayPath}/patch.yaml`, patch);
  return files;
}

/** The overlay's kustomization with another prefix: every object is then built anew. */
export function overlay(prefix: string): string {
  return kustomization([
    'resources:',
    '  - ../../base',
    `namePrefix: ${prefix}`,
    'patches:',
    '  - path: patch.yaml',
    '    target:',
    '      kind: Deployment',
    'images:',
    '  - name: example.com/web',
    '    newTag: "2.0"',
  ]);
}

function kustomization(lines: readonly string[]): string {
  return ['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', ...lines, ''].join('\n');
}

const patch = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: every
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: web
          env:
            - name: LEVEL
              value: warn
          resources:
            limits:
              memory: 256Mi
`;

/** The text of one Deployment, with its ConfigMap when it has one. */
export function deployment(index: number, replicas = 1): string {
  const name = `app${index}`;
  const hasConfig = index % 5 === 0;
  const text = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels:
    app: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: web
          image: example.com/web:1.0
          ports:
            - containerPort: 8080
          env:
            - name: LEVEL
              value: info
${hasConfig ? `          envFrom:\n            - configMapRef:\n                name: ${name}\n` : ''}`;
  return hasConfig ? `${text}---\n${configMap(name)}` : text;
}

function configMap(name: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  MODE: fast
`;
}
