import { formatRef, type ObjectRef } from '../../kube/object.ts';
import type {
  BootstrapPlan,
  BootstrapProgress,
  BootstrapResult,
  CheckItem,
  CheckView,
  InstallPlan,
  PlannedObject,
  UninstallPlan,
  UninstallResult,
} from '../../protocol/bootstrap.ts';
import type { Style } from '../terminal.ts';

/** What an installation will write, and what it means. */
export function installPlanText(plan: InstallPlan, style: Style): string {
  return [
    `${style.bold('Install')} on ${plan.cluster}`,
    ...objectLines(plan.objects, style),
    ...noteLines(plan.notes, style),
    '',
  ].join('\n');
}

/** Everything a bootstrap will do, in the order it will be done. */
export function bootstrapPlanText(plan: BootstrapPlan, style: Style): string {
  const { secret, deployKey } = plan;
  const lines = [
    `${style.bold('Bootstrap')} ${plan.cluster} from ${plan.url}, branch ${plan.branch}, folder ${plan.folder}`,
  ];
  if (plan.commits.length === 0) lines.push('  Git: up to date');
  for (const commit of plan.commits) {
    lines.push(`  Commit ${style.bold(commit.message.split('\n')[0] ?? '')}`);
    for (const { path, action, sizeBytes } of commit.files)
      lines.push(`    ${style.green(action === 'added' ? '+' : '~')} ${path} ${style.dim(`${sizeBytes} B`)}`);
  }
  if (plan.install.length === 0) lines.push('  Installation: comes from Git already');
  else lines.push('  Installation', ...objectLines(plan.install, style).map((line) => `  ${line}`));
  if (secret !== undefined)
    lines.push(
      `  ${mark(secret.action, style)} ${formatRef(secret.ref)} ${style.dim(secret.keys.join(', '))}`,
    );
  for (const object of plan.sync) lines.push(`  ${mark(object.action, style)} ${formatRef(object.ref)}`);
  lines.push(
    `  Reconciled by ${plan.reconciler === 'flux' ? 'Flux in the cluster' : 'Plumb, in local mode'}`,
  );
  for (const { type, fingerprint } of plan.hostKeys) lines.push(`  Host key ${type} ${fingerprint}`);
  if (deployKey !== undefined)
    lines.push(
      `  Deploy key (${deployKey.isNew ? 'new' : 'in the cluster'}) ${deployKey.fingerprint}`,
      `    ${deployKey.publicKey}`,
    );
  return [...lines, ...noteLines(plan.notes, style), ''].join('\n');
}

/** One line per step that ended; '' for the start of one. */
export function progressText({ step, state, message }: BootstrapProgress, style: Style): string {
  switch (state) {
    case 'started':
      return '';
    case 'done':
      return `${style.green('✔')} ${step}: ${message}\n`;
    case 'skipped':
      return `${style.dim('✔')} ${step}: ${message}\n`;
    case 'failed':
      return `${style.red('✗')} ${step}\n`;
  }
}

export function bootstrapResultText({ revision, nextSteps }: BootstrapResult, style: Style): string {
  return [`${style.green('✔')} reconciled ${revision}`, ...nextSteps.map((step) => `  ${step}`), ''].join(
    '\n',
  );
}

/** Findings by group, as `flux check` words them. */
export function checkText(check: CheckView, style: Style): string {
  const lines: string[] = [];
  let group: CheckItem['group'] | undefined;
  for (const item of check.items) {
    if (item.group !== group) lines.push(style.bold(item.group));
    group = item.group;
    lines.push(`  ${checkMark(item.state, style)} ${item.message}`);
    if (item.hint !== undefined) lines.push(style.dim(`    ${item.hint}`));
  }
  lines.push(check.passed ? 'all checks passed' : 'checks failed', '');
  return lines.join('\n');
}

/** What will be deleted and what stays. */
export function uninstallPlanText(plan: UninstallPlan, style: Style): string {
  const kinds = new Map<string, string[]>();
  for (const ref of plan.deletions) kinds.set(ref.kind, [...(kinds.get(ref.kind) ?? []), shortName(ref)]);
  return [
    `${style.bold('Uninstall Flux')} from ${plan.cluster}`,
    ...[...kinds].map(([kind, names]) => `  ${style.red('-')} ${kind}: ${names.join(', ')}`),
    ...plan.fluxObjects.map(
      (ref) => `  ${style.red('-')} ${formatRef(ref)} ${style.dim('with its finalizers')}`,
    ),
    ...plan.orphans.map(
      ({ owner, objects }) =>
        `  ${style.green('=')} ${objects} objects of ${formatRef(owner)} stay in the cluster`,
    ),
    ...noteLines(plan.notes, style),
    '',
  ].join('\n');
}

export function uninstallResultText({ deleted, failures }: UninstallResult, style: Style): string {
  return [
    `${failures.length === 0 ? style.green('✔') : style.red('✗')} ${deleted.length} objects deleted`,
    ...failures.map(({ ref, message }) => `  ${style.red('✗')} ${formatRef(ref)}: ${message}`),
    ...(failures.length === 0 ? [] : ['  definitions stay until that is solved; run plumb uninstall again']),
    '',
  ].join('\n');
}

/** Objects by what happens to them, those that stay the same only counted. */
export function objectLines(objects: readonly PlannedObject[], style: Style): readonly string[] {
  const unchanged = objects.filter(({ action }) => action === 'unchanged').length;
  const byLabel = new Map<string, { readonly action: PlannedObject['action']; readonly names: string[] }>();
  for (const { ref, action } of objects) {
    if (action === 'unchanged') continue;
    const label = `${action} ${ref.kind}`;
    const entry = byLabel.get(label) ?? { action, names: [] };
    entry.names.push(shortName(ref));
    byLabel.set(label, entry);
  }
  return [
    ...[...byLabel].map(
      ([label, { action, names }]) =>
        `  ${mark(action, style)} ${label.slice(action.length + 1)}: ${names.join(', ')}`,
    ),
    ...(unchanged > 0 ? [style.dim(`  = ${unchanged} unchanged`)] : []),
  ];
}

/** `kustomizations` for a definition, `flux-system/apps` for an object of a namespace. */
function shortName(ref: ObjectRef): string {
  if (ref.kind === 'CustomResourceDefinition') return ref.name.split('.')[0] ?? ref.name;
  return ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`;
}

function noteLines(notes: readonly string[], style: Style): readonly string[] {
  return notes.map((note) => `  ${style.yellow('!')} ${note}`);
}

function mark(action: PlannedObject['action'], style: Style): string {
  switch (action) {
    case 'created':
      return style.green('+');
    case 'configured':
      return style.yellow('~');
    case 'unchanged':
      return style.dim('=');
    case 'unverified':
      return style.green('+');
  }
}

function checkMark(state: CheckItem['state'], style: Style): string {
  switch (state) {
    case 'passed':
      return style.green('✔');
    case 'warning':
      return style.yellow('!');
    case 'failed':
      return style.red('✗');
  }
}
