import { treeDirname } from '../../base/treePath.ts';
import type { ParsedFile } from './parseFile.ts';
import type { WorkspaceIndex } from './workspaceIndex.ts';
import { fieldsOf, itemsOf, nodeAt, scalarValue } from './yamlAccess.ts';

/** What the kustomizations around a file may add to its objects. */
export interface OverlayEffects {
  /** Labels that also go into selectors. */
  readonly selectors: boolean;
  readonly namespace: boolean;
  /** Patches and whatever else can add any field. */
  readonly anything: boolean;
}

export const noEffects: OverlayEffects = { selectors: false, namespace: false, anything: false };

const patching = new Set([
  'patches',
  'patchesJson6902',
  'patchesStrategicMerge',
  'replacements',
  'transformers',
  'components',
  'vars',
]);

interface Known {
  readonly generation: number;
  readonly byPath: Map<string, OverlayEffects>;
}

const knownByWorkspace = new WeakMap<WorkspaceIndex, Known>();

/** The effects of every kustomization that takes the file or folder, directly or through another one. */
export function overlayEffects(workspace: WorkspaceIndex, path: string): OverlayEffects {
  let known = knownByWorkspace.get(workspace);
  if (known?.generation !== workspace.generation) {
    known = { generation: workspace.generation, byPath: new Map() };
    knownByWorkspace.set(workspace, known);
  }
  return effectsOn(workspace, path, known.byPath);
}

function effectsOn(
  workspace: WorkspaceIndex,
  path: string,
  byPath: Map<string, OverlayEffects>,
): OverlayEffects {
  const found = byPath.get(path);
  if (found !== undefined) return found;
  // Ends the recursion for kustomizations that take each other.
  byPath.set(path, noEffects);
  let effects = noEffects;
  for (const user of workspace.usersOf(path)) {
    effects = join(effects, ownEffects(user), effectsOn(workspace, treeDirname(user.path), byPath));
  }
  byPath.set(path, effects);
  return effects;
}

function join(...all: readonly OverlayEffects[]): OverlayEffects {
  return {
    selectors: all.some(({ selectors }) => selectors),
    namespace: all.some(({ namespace }) => namespace),
    anything: all.some(({ anything }) => anything),
  };
}

function ownEffects({ kustomization }: ParsedFile): OverlayEffects {
  const names = fieldsOf(kustomization).map(({ name }) => name);
  const labels = itemsOf(nodeAt(kustomization, ['labels']));
  const inSelectors = labels.some((label) => {
    const node = nodeAt(label, ['includeSelectors']);
    return node?.kind === 'scalar' && scalarValue(node) === true;
  });
  return {
    selectors: inSelectors || names.includes('commonLabels'),
    namespace: names.includes('namespace'),
    anything: names.some((name) => patching.has(name)),
  };
}
