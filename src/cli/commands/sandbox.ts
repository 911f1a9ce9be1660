import { defaultSandboxName } from '../../clients/sandbox/places.ts';
import type { Command } from '../command.ts';

/** `plumb sandbox`: offered in a checkout of the repository only, where its Go sources are. */
export const sandboxCommand: Command = {
  name: 'sandbox',
  summary: 'Run a real Kubernetes control plane on this machine, without containers',
  usage: 'up|down|status|env|flux [CONTROLLER…] [--name NAME]',
  completions: [['up', 'down', 'status', 'env', 'flux']],
  details: `up starts the sandbox or finds it running, down ends it and removes its data, status shows all of yours, env prints
what a shell needs to use it. etcd, API server, controllers and scheduler are the real ones; nodes and Pods are
simulated, so that Deployments become available and no container runs. The first start builds it with Go, which takes
5 to 10 minutes; later ones take seconds. It is a tool of this repository for tests and demos.

flux runs the real Flux controllers against it until Ctrl-C: all that can be built, or those named. Each has the rights of
its ServiceAccount and takes its Lease, so that it reconciles as in a cluster. Flux must be installed (plumb install).
Building them takes minutes the first time, source-controller the longest. It is v1.9.3: not every Go module proxy serves
github.com/fluxcd/pkg/artifact, and later releases need a version of it that fewer do. Where it cannot be had, the others
run and the reason is told. Linux only.`,
  examples: [
    ['plumb sandbox up', 'start it and say how to reach it'],
    ['eval "$(plumb sandbox env)"', 'use it with kubectl in this shell'],
    ['plumb sandbox up --name staging', 'a second one beside it'],
    ['plumb sandbox up --name old --emulate 1.33', 'one that behaves as Kubernetes 1.33'],
    ['plumb sandbox flux kustomize-controller', 'let the real kustomize-controller reconcile it'],
    ['plumb sandbox down --all', 'end all of them'],
  ],
  options: {
    name: { type: 'string', value: 'NAME', description: `which sandbox; default: ${defaultSandboxName}` },
    nodes: { type: 'string', value: 'COUNT', description: 'up: simulated nodes; default: 1' },
    emulate: {
      type: 'string',
      value: 'VERSION',
      completion: ['1.33', '1.34', '1.35'],
      description: 'up: show the API and features of an older Kubernetes, 1.33 to 1.35',
    },
    all: { type: 'boolean', description: 'down: every sandbox of yours' },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      completion: ['text', 'json'],
      description: 'text (default) or json',
    },
  },
  // Loaded late: it brings what starts processes and speaks TLS, which no other command needs.
  run: async (ctx) => (await import('./sandboxActions.ts')).runSandbox(ctx),
};
