import { formatRef, type ObjectRef } from '../../kube/object.ts';
import type {
  BootstrapPlan,
  BootstrapProgress,
  BootstrapResult,
  CheckItem,
  CheckView,
  PlannedObject,
  UninstallPlan,
  UninstallResult,
} from '../../protocol/bootstrap.ts';
import { countOf, facts, list, page, section } from './page.ts';
import type { Confirmation } from './planText.ts';
import { shortRevision } from './revision.ts';

/** Everything a bootstrap will do, as a page to read before it is approved. */
export function bootstrapPlanPage(plan: BootstrapPlan): string {
  const { secret, deployKey, hostKeys, commits, notes } = plan;
  const objects = [...plan.install, ...plan.sync];
  const changed = objects.filter(({ action }) => action !== 'unchanged');
  const found = objects.length - changed.length;
  return page(`Bootstrap ${plan.cluster}: the plan`, [
    plan.isUpToDate
      ? 'Everything is in place: only a reconciliation is left to do.'
      : 'Nothing has been written yet. This is all that will be.',
    facts([
      ['Cluster', plan.cluster],
      ['Repository', plan.url],
      [
        'Branch',
        `${plan.branch} ${plan.head === undefined ? '(made by the first push)' : `at ${plan.head.slice(0, 7)}`}`,
      ],
      ['Folder', plan.folder],
      ['Reconciled by', reconcilerText(plan)],
    ]),
    ...(notes.length === 0 ? [] : [section('Before you go on', list(notes))]),
    ...(deployKey === undefined ? [] : [keySection(deployKey)]),
    section(
      'Files to commit',
      commits.length === 0
        ? 'None: the repository is up to date.'
        : commits
            .map(({ message, files }) =>
              [
                `Commit "${message.split('\n')[0] ?? ''}" and push it:`,
                '',
                list(
                  files.map(({ path, action, sizeBytes }) => `${path} (${action}, ${sizeText(sizeBytes)})`),
                ),
              ].join('\n'),
            )
            .join('\n\n'),
    ),
    section(
      'Objects to apply',
      changed.length === 0
        ? 'None: the cluster has them all.'
        : list([
            ...byKind(changed).map(({ action, kind, names }) => `${action} ${kind}: ${names.join(', ')}`),
            ...(found === 0 ? [] : [`leave ${countOf(found, 'object')} that the cluster has already`]),
          ]),
    ),
    ...(secret === undefined
      ? []
      : [
          section(
            'Secret',
            list([`${verbOf(secret.action)} ${formatRef(secret.ref)} with ${secret.keys.join(', ')}`]),
          ),
        ]),
    ...(hostKeys.length === 0
      ? []
      : [
          section(
            'Host keys',
            [
              'Trusted from now on. Compare them with what the server’s operator publishes:',
              '',
              list(hostKeys.map(({ type, fingerprint }) => `${type} ${fingerprint}`)),
            ].join('\n'),
          ),
        ]),
    ...contents(plan),
  ]);
}

/** What a bootstrap did and what comes next. */
export function bootstrapResultPage(plan: BootstrapPlan, result: BootstrapResult): string {
  const { run, deployKey } = result;
  const changed = run.changeSet.filter(({ action }) => action !== 'unchanged' && action !== 'skipped').length;
  return page(`Bootstrap ${plan.cluster}: done`, [
    `${plan.cluster} is synced with ${plan.url}. Flux’s own manifests lie in ${plan.folder}.`,
    facts([
      ['Cluster', plan.cluster],
      ['Revision', shortRevision(result.revision)],
      ['Reconciled', `${formatRef(run.ref)}: ${run.reason}, ${countOf(changed, 'object')} changed`],
      ['Reconciled by', reconcilerText(plan)],
    ]),
    section(
      'Commits pushed',
      result.commits.length === 0
        ? 'None: the repository was up to date.'
        : list(result.commits.map(({ hash, message }) => `${hash.slice(0, 7)} ${message}`)),
    ),
    ...(deployKey === undefined ? [] : [keySection(deployKey)]),
    section('Next', list(result.nextSteps)),
  ]);
}

/** What approving the plan means, in one line that names the cluster. */
export function approvalText(plan: BootstrapPlan): { readonly label: string; readonly detail: string } {
  const objects = [...plan.install, ...plan.sync].filter(({ action }) => action !== 'unchanged').length;
  const parts = [
    ...(plan.commits.length === 0
      ? []
      : [`push ${countOf(plan.commits.length, 'commit')} to ${plan.branch}`]),
    ...(objects === 0 ? [] : [`apply ${countOf(objects, 'object')}`]),
    ...(plan.secret === undefined || plan.secret.action === 'unchanged' ? [] : ['write the Secret']),
    plan.reconciler === 'plumb' ? 'reconcile from this window' : 'reconcile',
  ];
  const detail = parts.join(', ');
  const isKeyNeeded = plan.deployKey?.isNew === true;
  return {
    label: plan.isUpToDate
      ? `Reconcile ${plan.cluster}`
      : `${isKeyNeeded ? 'The key is registered: bootstrap' : 'Bootstrap'} ${plan.cluster}`,
    detail: detail.slice(0, 1).toUpperCase() + detail.slice(1),
  };
}

/** One step of the work, for the progress notification. */
export function stepText({ step, state, message }: BootstrapProgress): string {
  const name = stepNames[step];
  return state === 'started' || message === '' ? name : `${name}: ${message}`;
}

const stepNames: Readonly<Record<BootstrapProgress['step'], string>> = {
  components: 'component manifests',
  install: 'installation',
  secret: 'sync secret',
  manifests: 'sync manifests',
  sync: 'sync objects',
  reconcile: 'reconciliation',
  uninstall: 'uninstall',
};

/** Findings by group. */
export function checkPage(check: CheckView): string {
  const groups = [...new Set(check.items.map(({ group }) => group))];
  return page(`Check of ${check.cluster}: ${check.passed ? 'passed' : 'failed'}`, [
    facts([
      ['Cluster', check.cluster],
      ['Mode', check.mode],
    ]),
    ...groups.map((group) =>
      section(
        group.slice(0, 1).toUpperCase() + group.slice(1),
        list(check.items.filter((item) => item.group === group).map(checkLine)),
      ),
    ),
  ]);
}

/** What an uninstall deletes and what stays. */
export function uninstallPlanPage(plan: UninstallPlan): string {
  const gone = plan.deletions.map((ref) => ({ ref, action: 'created' as const }));
  return page(`Uninstall Flux from ${plan.cluster}: the plan`, [
    'Nothing has been deleted yet.',
    ...(plan.notes.length === 0 ? [] : [section('Before you go on', list(plan.notes))]),
    section('Deleted', list(byKind(gone).map(({ kind, names }) => `${kind}: ${names.join(', ')}`))),
    section(
      'Flux objects that go with their definitions',
      plan.fluxObjects.length === 0 ? 'None.' : list(plan.fluxObjects.map(formatRef)),
    ),
    section(
      'Workloads that stay',
      plan.orphans.length === 0
        ? 'None.'
        : list(
            plan.orphans.map(({ owner, objects }) => `${countOf(objects, 'object')} of ${formatRef(owner)}`),
          ),
    ),
  ]);
}

/** The question before an uninstall; undefined when there is nothing to delete. */
export function uninstallConfirmation(plan: UninstallPlan): Confirmation | undefined {
  if (plan.deletions.length === 0 && plan.fluxObjects.length === 0) return undefined;
  const stay = plan.orphans.reduce((sum, { objects }) => sum + objects, 0);
  const total = plan.deletions.length + plan.fluxObjects.length;
  return {
    message: `Uninstall Flux from the cluster ${plan.cluster}?`,
    detail: [
      `${countOf(total, 'object')} ${total === 1 ? 'is' : 'are'} deleted, as listed in the plan.`,
      `${countOf(stay, 'object')} of your workloads ${stay === 1 ? 'stays' : 'stay'}; files in Git are not touched.`,
      ...plan.notes,
    ].join('\n'),
    button: `Delete ${countOf(total, 'Object')}`,
  };
}

/** What an uninstall did. */
export function uninstallResultPage(cluster: string, { deleted, failures }: UninstallResult): string {
  return page(`Uninstall Flux from ${cluster}: ${failures.length === 0 ? 'done' : 'not complete'}`, [
    `${countOf(deleted.length, 'object')} deleted.`,
    ...(failures.length === 0
      ? []
      : [
          section(
            'Not deleted',
            [
              list(failures.map(({ ref, message }) => `${formatRef(ref)}: ${message}`)),
              '',
              'Definitions stay until that is solved. Run "Plumb: Uninstall…" again then.',
            ].join('\n'),
          ),
        ]),
  ]);
}

function reconcilerText({ reconciler }: BootstrapPlan): string {
  return reconciler === 'flux' ? 'the Flux controllers in the cluster' : 'Plumb, in local mode';
}

function keySection({ publicKey, fingerprint, isNew }: NonNullable<BootstrapPlan['deployKey']>): string {
  return section(
    isNew ? 'Deploy key to register' : 'Deploy key',
    [
      isNew
        ? 'Add it to the repository, with read access. Its private half goes into the Secret and nowhere else.'
        : 'The cluster has it already.',
      '',
      '```',
      publicKey,
      '```',
      fingerprint,
    ].join('\n'),
  );
}

function contents({ commits }: BootstrapPlan): readonly string[] {
  const shown = commits.flatMap(({ files }) => files).filter(({ content }) => content !== undefined);
  return shown.map(({ path, content }) =>
    section(path, ['```yaml', (content ?? '').trimEnd(), '```'].join('\n')),
  );
}

function checkLine({ state, message, hint }: CheckItem): string {
  const mark = { passed: '✔', warning: '!', failed: '✗' }[state];
  return hint === undefined ? `${mark} ${message}` : `${mark} ${message}\n  → ${hint}`;
}

interface KindOfObjects {
  readonly action: string;
  readonly kind: string;
  readonly names: readonly string[];
}

function byKind(objects: readonly PlannedObject[]): readonly KindOfObjects[] {
  const groups = new Map<string, KindOfObjects & { readonly names: string[] }>();
  for (const { ref, action } of objects) {
    const place = ref.namespace === undefined ? ref.kind : `${ref.kind} in ${ref.namespace}`;
    const key = `${action} ${place}`;
    const group = groups.get(key) ?? { action: verbOf(action), kind: place, names: [] };
    group.names.push(shortName(ref));
    groups.set(key, group);
  }
  return [...groups.values()];
}

function verbOf(action: PlannedObject['action']): string {
  switch (action) {
    case 'created':
    case 'unverified':
      return 'create';
    case 'configured':
      return 'change';
    case 'unchanged':
      return 'leave';
  }
}

function shortName(ref: ObjectRef): string {
  return ref.kind === 'CustomResourceDefinition' ? (ref.name.split('.')[0] ?? ref.name) : ref.name;
}

function sizeText(bytes: number): string {
  return bytes < 2048 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KB`;
}
