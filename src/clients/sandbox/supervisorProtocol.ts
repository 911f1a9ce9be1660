import type { ComponentName, Ports, Programs } from './components.ts';

/** The first message to the supervisor: what to run. */
export interface SandboxSpec {
  readonly type: 'run';
  readonly folder: string;
  /** The name of cluster and context in the kubeconfig. */
  readonly cluster: string;
  readonly programs: Programs;
  readonly nodes: number;
  readonly emulate?: string;
  readonly apiserverFlags: readonly string[];
}

/** From then on the sandbox outlives its starter. Before it, a closed channel ends the sandbox. */
export interface DetachMessage {
  readonly type: 'detach';
}

export type ToSupervisor = SandboxSpec | DetachMessage;

/** What the supervisor says on its channel. */
export type FromSupervisor =
  | { readonly type: 'progress'; readonly message: string }
  | { readonly type: 'ready'; readonly state: SandboxState }
  | { readonly type: 'detached' }
  | { readonly type: 'failed'; readonly message: string };

/** A ready sandbox; kept as state.json in its folder. */
export interface SandboxState {
  readonly pid: number;
  readonly server: string;
  readonly kubeconfig: string;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly readyAfterMs: number;
  /** The Kubernetes minor it shows instead of its own. */
  readonly emulates?: string;
  readonly ports: Ports;
  readonly components: readonly { readonly name: ComponentName; readonly pid: number }[];
}
