import { equalJson, isJsonObject, type JsonValue } from '../base/json.ts';
import { joinTreePath } from '../base/treePath.ts';
import { fluxVersion } from '../flux/fluxVersion.ts';
import type { KubeObject } from '../kube/object.ts';
import { parseYaml } from '../kube/yaml.ts';
import type { BootstrapTarget } from './bootstrapTarget.ts';
import { formatComponents, installManifests } from './install.ts';
import { isManifestFile, readManifestFile } from './manifestFile.ts';
import type { RepositoryState } from './repository.ts';
import {
  componentsFile,
  formatKustomization,
  formatSync,
  kustomizationFile,
  syncFile,
} from './syncManifests.ts';

/** A commit to make on top of the branch. */
export interface CommitPlan {
  readonly message: string;
  /** Path from the root to content. */
  readonly files: ReadonlyMap<string, string>;
}

/** What the repository needs, and what its component manifests hold afterwards. */
export interface CommitsPlan {
  /** Absent when the component manifests are up to date. */
  readonly components?: CommitPlan;
  /** Absent when the sync manifests are up to date. */
  readonly sync?: CommitPlan;
  /** The objects of `gotk-components.yaml`; none when it is left out because the cluster has its controllers already. */
  readonly installation: readonly KubeObject[];
  /** Whether that file installs Flux's own controllers. */
  readonly hasControllers: boolean;
  /** Of the Flux files those that a kustomization which is there already leaves out. */
  readonly unlisted: readonly string[];
  readonly notes: readonly string[];
}

/** Text files of the repository by path. */
type RepositoryFiles = Pick<RepositoryState, 'files'>;

/**
 * Compares the repository with what upstream's layout wants in it. A file that says the same already is left as it is,
 * whoever wrote it, so a second run commits nothing. Contract 7.2, steps 2 and 6.
 */
export function planCommits(
  target: BootstrapTarget,
  repository: RepositoryFiles,
  sync: readonly KubeObject[],
  clusterHasControllers: boolean,
): CommitsPlan {
  const { folder } = target;
  const components = planComponents(target, repository, clusterHasControllers);
  const files = new Map<string, string>();
  const syncPath = `${folder}/${syncFile}`;
  if (!saysTheSame(repository, syncPath, sync)) files.set(syncPath, formatSync(sync));
  const kustomization = kustomizationOf(repository, folder);
  if (kustomization === undefined) {
    const written = components.commit === undefined ? [] : [componentsFile];
    const resources = [...new Set([...written, syncFile, ...resourcesOf(repository, folder)])].sort();
    files.set(`${folder}/${kustomizationFile}`, formatKustomization(resources));
  }
  const unlisted = unlistedFiles(kustomization, components.installation.length > 0);
  return {
    ...(components.commit !== undefined && { components: components.commit }),
    ...(files.size > 0 && {
      sync: { message: withAppendix('Add Flux sync manifests', target), files },
    }),
    installation: components.installation,
    hasControllers: components.installation.some(isController),
    unlisted,
    notes: [...components.notes, ...referenceNotes(target, repository, kustomization, unlisted)],
  };
}

function planComponents(
  target: BootstrapTarget,
  repository: RepositoryFiles,
  clusterHasControllers: boolean,
): {
  readonly commit?: CommitPlan;
  readonly installation: readonly KubeObject[];
  readonly notes: readonly string[];
} {
  const { namespace } = target.request;
  const path = `${target.folder}/${componentsFile}`;
  const text = repository.files.get(path);
  const inGit = text === undefined ? undefined : readManifestFile(path, text);
  if (inGit?.some(isController) === true) {
    const notes = [`${path} installs Flux's own controllers; it is left as it is, and they reconcile.`];
    return { installation: inGit, notes };
  }
  if (clusterHasControllers) {
    const notes = [
      `Flux's controllers are installed in this cluster; ${path} is ${inGit === undefined ? 'not written' : 'left as it is'}.`,
    ];
    return { installation: [], notes };
  }
  const installation = installManifests(namespace);
  if (inGit !== undefined && equalJson(inGit as JsonValue, installation)) return { installation, notes: [] };
  return {
    commit: {
      message: withAppendix(`Add Flux ${fluxVersion} component manifests`, target),
      files: new Map([[path, formatComponents(namespace)]]),
    },
    installation,
    notes: [],
  };
}

function saysTheSame(repository: RepositoryFiles, path: string, objects: readonly KubeObject[]): boolean {
  const text = repository.files.get(path);
  return text !== undefined && equalJson(readManifestFile(path, text) as JsonValue, objects);
}

interface KustomizationText {
  readonly path: string;
  readonly text: string;
}

const kustomizationNames = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

function kustomizationOf(repository: RepositoryFiles, folder: string): KustomizationText | undefined {
  for (const name of kustomizationNames) {
    const path = joinTreePath(folder, name) ?? name;
    const text = repository.files.get(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** The manifests of the folder, as upstream scans it: a folder with a kustomization of its own counts as one resource. */
function resourcesOf(repository: RepositoryFiles, folder: string): readonly string[] {
  const prefix = `${folder}/`;
  const resources = new Set<string>();
  for (const [path, text] of repository.files) {
    if (!path.startsWith(prefix)) continue;
    const parts = path.slice(prefix.length).split('/');
    const overlay = parts
      .slice(0, -1)
      .map((_, index) => parts.slice(0, index + 1).join('/'))
      .find((sub) => kustomizationOf(repository, prefix + sub) !== undefined);
    if (overlay !== undefined) resources.add(overlay);
    else if (isManifestFile(path, text)) resources.add(parts.join('/'));
  }
  return [...resources];
}

function unlistedFiles(
  kustomization: KustomizationText | undefined,
  hasComponents: boolean,
): readonly string[] {
  if (kustomization === undefined) return [];
  const files = [...(hasComponents ? [componentsFile] : []), syncFile];
  return files.filter((file) => !lists(kustomization, file));
}

/** Says where files that are there already would keep the Flux manifests from being reconciled. */
function referenceNotes(
  target: BootstrapTarget,
  repository: RepositoryFiles,
  kustomization: KustomizationText | undefined,
  unlisted: readonly string[],
): readonly string[] {
  const { folder, path } = target;
  const notes = unlisted.map(
    (file) =>
      `${kustomization?.path ?? folder} does not list ${file}: add it, or changes to it in Git have no effect.`,
  );
  const above = kustomizationOf(repository, path);
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  if (above !== undefined && !lists(above, name))
    notes.push(
      `${above.path} does not list ${name}: add it, or the Flux manifests are applied once and not reconciled from Git.`,
    );
  return notes;
}

function lists(kustomization: KustomizationText, resource: string): boolean {
  const [document] = parseYaml(kustomization.path, kustomization.text).value;
  const resources = isJsonObject(document?.value) ? document.value['resources'] : undefined;
  const entries = Array.isArray(resources) ? (resources as readonly JsonValue[]) : [];
  return entries.some((entry) => {
    const path = typeof entry === 'string' ? joinTreePath('', entry) : undefined;
    return path === resource || path?.startsWith(`${resource}/`) === true;
  });
}

function isController({ kind }: KubeObject): boolean {
  return kind === 'Deployment';
}

function withAppendix(message: string, { request }: BootstrapTarget): string {
  const { commitMessageAppendix: appendix } = request;
  return appendix === undefined || appendix === '' ? message : `${message}\n\n${appendix}`;
}
