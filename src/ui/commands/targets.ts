import * as vscode from 'vscode';
import { formatRef, refKey, type ObjectRef } from '../../kube/object.ts';
import type { FluxNode } from '../../protocol/views.ts';
import { stateIcon, stateText, type EntryTarget } from '../model/treeEntries.ts';
import type { TreeRow } from '../views/fluxTree.ts';
import type { CommandContext } from './commandContext.ts';

/** One object of a workload, as code actions name it. */
export interface WorkloadObject {
  readonly workload: ObjectRef;
  readonly object: ObjectRef;
}

/** The object, below its workload, that a command was called on. */
export function objectOf(argument: unknown): ObjectRef | undefined {
  if (isWorkloadObject(argument)) return argument.object;
  const target = targetOf(argument);
  return target?.type === 'object' ? target.node.ref : undefined;
}

/** The row a command was called on. */
export function targetOf(argument: unknown): EntryTarget | undefined {
  return isTreeRow(argument) ? argument.entry.target : undefined;
}

/** The Kustomization or HelmRelease a command is about: of the row, as given, or picked. Undefined: the user left. */
export async function workloadFor(
  ctx: CommandContext,
  argument: unknown,
  title: string,
): Promise<ObjectRef | undefined> {
  const target = targetOf(argument);
  if (target?.type === 'workload') return target.node.ref;
  if (target?.type === 'object') return target.workload;
  if (isWorkloadObject(argument)) return argument.workload;
  if (isObjectRef(argument)) return argument;
  return (await pickFluxNode(ctx.state.tree?.workloads ?? [], title))?.ref;
}

/** The Flux object a command is about, source or workload. */
export async function fluxObjectFor(
  ctx: CommandContext,
  argument: unknown,
  title: string,
  isOffered: (node: FluxNode) => boolean = () => true,
): Promise<FluxNode | undefined> {
  const nodes = [...(ctx.state.tree?.workloads ?? []), ...(ctx.state.tree?.sources ?? [])];
  const target = targetOf(argument);
  if (target !== undefined && target.type !== 'object') return target.node;
  const wanted = target?.workload ?? (isObjectRef(argument) ? argument : undefined);
  if (wanted !== undefined) return nodes.find((node) => refKey(node.ref) === refKey(wanted));
  return pickFluxNode(nodes.filter(isOffered), title);
}

async function pickFluxNode(nodes: readonly FluxNode[], title: string): Promise<FluxNode | undefined> {
  const items = nodes.map((node) => ({
    label: node.ref.name,
    description: formatRef(node.ref),
    detail: [stateText(node.state), node.message].filter((part) => part !== undefined).join(': '),
    iconPath: new vscode.ThemeIcon(stateIcon(node.state, node.presence).id),
    node,
  }));
  if (items.length === 0) {
    void vscode.window.showInformationMessage(
      'There is no Flux object in these folders or in the cluster for that.',
    );
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.node;
}

/** The name of the cluster the window works with, for questions and messages. */
export function clusterName(ctx: CommandContext): string {
  return ctx.state.status?.cluster?.context ?? 'no cluster';
}

function isTreeRow(value: unknown): value is TreeRow {
  return typeof value === 'object' && value !== null && 'entry' in value;
}

function isWorkloadObject(value: unknown): value is WorkloadObject {
  return typeof value === 'object' && value !== null && 'workload' in value && 'object' in value;
}

function isObjectRef(value: unknown): value is ObjectRef {
  return typeof value === 'object' && value !== null && 'kind' in value && 'name' in value;
}
