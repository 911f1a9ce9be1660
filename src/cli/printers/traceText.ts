import { formatRef } from '../../kube/object.ts';
import type { TraceStep, TraceView } from '../../protocol/look.ts';
import type { FluxNode } from '../../protocol/views.ts';
import type { Style } from '../terminal.ts';
import { placeOf } from './planText.ts';
import { stateText } from './treeText.ts';

type Row = readonly [name: string, value: string | undefined];

/** Sections from the object up to Git; a source that several workloads share stands behind the last of them. */
export function traceText(trace: TraceView, style: Style): string {
  const { object, owners, steps, location } = trace;
  const status =
    steps.length > 0 ? 'managed by Flux' : 'not managed by Flux: no workload has it in its inventory';
  const sections: (readonly Row[])[] = [
    [
      ['Object', formatRef(object)],
      ...owners.map((owner): Row => ['Owned by', formatRef(owner)]),
      ['Status', trace.presence === 'onlyInGit' ? `${status}; not in the cluster yet` : status],
      ['File', location === undefined ? undefined : placeOf(location)],
    ],
    ...steps.flatMap((step, index) => stepSections(step, steps[index + 1], style)),
  ];
  return `${sections.map((rows) => sectionText(rows, style)).join('---\n')}`;
}

function stepSections({ workload, source }: TraceStep, next: TraceStep | undefined, style: Style) {
  const sections: (readonly Row[])[] = [nodeRows(workload, style)];
  const isShared = next?.source !== undefined && source !== undefined && isSame(next.source, source);
  if (source !== undefined && !isShared) sections.push(nodeRows(source, style));
  return sections;
}

function isSame(a: FluxNode, b: FluxNode): boolean {
  return formatRef(a.ref) === formatRef(b.ref);
}

function nodeRows(node: FluxNode, style: Style): readonly Row[] {
  return [
    [node.ref.kind, node.ref.name],
    ['Namespace', node.ref.namespace],
    ['URL', node.url],
    ['Path', node.path],
    ['Revision', node.revision],
    ['Status', stateText(node, style)],
    ['Message', node.message?.split('\n')[0]],
    ['File', node.location === undefined ? undefined : placeOf(node.location)],
  ];
}

function sectionText(rows: readonly Row[], style: Style): string {
  return rows
    .filter((row): row is readonly [string, string] => row[1] !== undefined)
    .map(([name, value]) => `${style.bold(`${name}:`.padEnd(17))}${value}\n`)
    .join('');
}
