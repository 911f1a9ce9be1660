import type { OptionSpec } from './command.ts';

/** Flags that commands talking to a cluster share, named as kubectl and flux name them. */
export const clusterOptions = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    completion: 'file',
    description: 'kubeconfig file; default: $KUBECONFIG, then ~/.kube/config',
  },
  context: {
    type: 'string',
    value: 'NAME',
    completion: 'context',
    description: 'context of the kubeconfig; default: its current-context',
  },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    completion: 'namespace',
    description: 'namespace of the object; default: flux-system',
  },
} as const satisfies Record<string, OptionSpec>;

/** For commands that build what they show or apply. */
export const sopsOptions = {
  'require-mac': {
    type: 'boolean',
    description: 'fail where the MAC of a file encrypted with SOPS does not match; default: a warning',
  },
  'own-cloud-login': {
    type: 'boolean',
    description: 'open keys of SOPS with your own login where the controllers use their workload identity',
  },
} as const satisfies Record<string, OptionSpec>;

export const outputOption = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    completion: ['text', 'json', 'yaml'],
    description: 'text (default), json or yaml',
  },
} as const satisfies Record<string, OptionSpec>;

/** Flags of every command. */
export const commonOptions = {
  help: { type: 'boolean', short: 'h', description: 'show this help' },
  'no-color': { type: 'boolean', description: 'no colours; NO_COLOR does the same' },
} as const satisfies Record<string, OptionSpec>;
