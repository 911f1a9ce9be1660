import { createLanguageService, type LanguageService } from '../../src/language/languageService.ts';
import { type Bench, median, timings } from './figure.ts';

/** What an edit costs in a large workspace: from the changed text to the diagnostics of every file. */
export const bench: Bench = async ({ smoke }) => {
  const runs = smoke ? 3 : 51;
  const service = createLanguageService({ uriOf: (path) => `file:///${path}` });
  const files = workspaceFiles(1000);
  const loaded = performance.now();
  for (const [path, text] of files) service.setFile(path, text);
  const judged = performance.now();
  judgeAll(service);
  const finished = performance.now();

  const path = 'clusters/c0/apps.yaml';
  const text = files.get(path) ?? '';
  let run = 0;
  const edit = async (change: (text: string, run: number) => string): Promise<number> => {
    const times = await timings(runs, () => {
      service.setFile(path, change(text, ++run));
      judgeAll(service);
    });
    return median(times);
  };
  const valueEdit = await edit((before, count) => before.replace('interval: 10m', `interval: ${count}m`));
  const nameEdit = await edit((before, count) => before.replace('name: infra', `name: infra-${count}`));
  service.setFile(path, text);
  const line = text.split('\n').indexOf('  prune: true');
  const completions = await timings(runs, () => service.completions(path, { line, character: 2 }));
  return [
    { name: 'language: read 1,000 files', value: judged - loaded, unit: 'ms' },
    { name: 'language: first diagnostics of 1,000 files', value: finished - judged, unit: 'ms' },
    { name: 'language: edit of a value to diagnostics, median', value: valueEdit, unit: 'ms', limit: 30 },
    { name: 'language: edit of a name to diagnostics, median', value: nameEdit, unit: 'ms', limit: 30 },
    { name: 'language: completion', value: median(completions), unit: 'ms', limit: 30 },
  ];
};

function judgeAll(service: LanguageService): number {
  let found = 0;
  for (const path of service.paths()) found += service.diagnostics(path).length;
  return found;
}

/** Clusters with Flux objects of their own, and apps of a Deployment, a Service and a kustomization each. */
function workspaceFiles(count: number): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (let app = 0; files.size < count; app++) {
    files.set(`apps/a${app}/kustomization.yaml`, 'resources: [deployment.yaml, service.yaml]\n');
    files.set(`apps/a${app}/deployment.yaml`, deployment(`a${app}`));
    files.set(`apps/a${app}/service.yaml`, service(`a${app}`));
    if (app % 8 === 0) files.set(`clusters/c${app / 8}/apps.yaml`, cluster(app));
  }
  return files;
}

function cluster(first: number): string {
  const source = `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 1m
  url: https://example.com/fleet.git
`;
  const names = ['infra', ...Array.from({ length: 8 }, (_, index) => `a${first + index}`)];
  const kustomizations = names.map(
    (name, index) => `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  interval: 10m
  prune: true
  path: ./apps/a${first}
  sourceRef:
    kind: GitRepository
    name: fleet
${index === 0 ? '' : '  dependsOn:\n    - name: infra\n'}`,
  );
  return [source, ...kustomizations].join('---\n');
}

function deployment(name: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: { app: ${name} }
spec:
  replicas: 2
  selector:
    matchLabels: { app: ${name} }
  template:
    metadata:
      labels: { app: ${name} }
    spec:
      containers:
        - name: web
          image: example/web:1.2.3
          ports:
            - { name: http, containerPort: 8080, protocol: TCP }
          env:
            - { name: MODE, value: fast }
            - { name: LEVEL, value: info }
          resources:
            requests: { cpu: 100m, memory: 64Mi }
            limits: { memory: 128Mi }
`;
}

function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector: { app: ${name} }
  ports:
    - { name: http, port: 80, targetPort: http }
`;
}
