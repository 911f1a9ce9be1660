import type { ReadableTree } from '../../base/readableTree.ts';
import type { YamlText } from '../../kube/yamlNode.ts';
import type { BuildCache } from './buildCache.ts';
import type { Dependencies, Dependency, LoaderContext, RemoteNeed, Remotes } from './loader.ts';
import { requireLayerCount } from './limits.ts';
import { builtinSchemas, type MergeSchemas } from './mergeSchema.ts';
import type { Place } from './node.ts';
import { BuildFailure, type BuildProblem } from './problem.ts';
import type { Scopes } from './resId.ts';
import type { RootChanges } from './rootChanges.ts';

/** What the layers of one build share. */
export class BuildRun implements LoaderContext {
  readonly tree: ReadableTree;
  readonly cache: BuildCache;
  readonly restrictToRoot: boolean;
  readonly refuseRemotes: boolean;
  readonly remotes: Remotes;
  readonly needs = new Map<string, RemoteNeed>();
  readonly problems: BuildProblem[] = [];
  readonly rootChanges: RootChanges | undefined;
  /** Whether buildMetadata asks for anything, so that origins and transformations are noted. */
  tracksProvenance = false;
  schemas: MergeSchemas = builtinSchemas;
  scopes: Scopes | undefined;
  /** The openapi field has been used: what it sets holds for the whole build. */
  hasOwnSchemas = false;
  /** Whether the build has merged by the built-in definitions, or has at least met a kind they may know. */
  builtinSchemaUse: 'none' | 'met' | 'merged' = 'none';
  /** Set when the file of the openapi field is no schema: fails the step that needs one. */
  refuseSchemas: (() => never) | undefined;
  readonly #recorders: (Dependency | Dependencies)[][] = [];
  readonly #compared = new Map<Dependencies, boolean>();
  readonly #visited = new Set<string>();
  #layerCount = 0;

  constructor(
    tree: ReadableTree,
    cache: BuildCache,
    options: {
      readonly restrictToRoot: boolean;
      readonly refuseRemotes: boolean;
      readonly remotes: Remotes;
      readonly rootChanges: RootChanges | undefined;
    },
  ) {
    this.tree = tree;
    this.cache = cache;
    this.restrictToRoot = options.restrictToRoot;
    this.refuseRemotes = options.refuseRemotes;
    this.remotes = options.remotes;
    this.rootChanges = options.rootChanges;
  }

  /** True once something is wrong or missing: nothing that is built from here on is a result. */
  get hasFailed(): boolean {
    return this.needs.size > 0 || this.problems.some(({ severity }) => severity !== 'warning');
  }

  /**
   * Notes what a layer makes of the definitions; it matters to an openapi field that comes later. Throws BuildFailure where
   * it asks for what such a field has not given; a merge does so when it looks up a kind.
   */
  noteSchemaUse(use: BuildRun['builtinSchemaUse']): void {
    if (use === 'met') this.refuseSchemas?.();
    if (this.builtinSchemaUse === 'merged' || use === 'none') return;
    this.builtinSchemaUse = use;
  }

  /** What a build may read, as a part of the names of what it leaves in the cache. */
  get rules(): string {
    return `${this.restrictToRoot ? 'root' : 'any'},${this.refuseRemotes ? 'local' : 'remote'}`;
  }

  record(dependency: Dependency): void {
    this.#recorders[this.#recorders.length - 1]?.push(dependency);
  }

  /** Runs a step and gives the paths it looked at; they count for the steps around it, too. */
  recording<T>(step: () => T): { readonly value: T; readonly dependencies: Dependencies } {
    const dependencies: (Dependency | Dependencies)[] = [];
    this.#recorders.push(dependencies);
    try {
      return { value: step(), dependencies };
    } finally {
      this.#recorders.pop();
      this.recordAll(dependencies);
    }
  }

  recordAll(dependencies: Dependencies): void {
    this.#recorders[this.#recorders.length - 1]?.push(dependencies);
  }

  /** True when every path is still what it was. */
  isUnchanged(dependencies: Dependencies): boolean {
    const known = this.#compared.get(dependencies);
    if (known !== undefined) return known;
    const isSame = dependencies.every((dependency) =>
      'bytes' in dependency ? this.#isSame(dependency) : this.isUnchanged(dependency),
    );
    this.#compared.set(dependencies, isSame);
    return isSame;
  }

  /** Notes that a layer is taken up. Throws BuildFailure when there are too many. */
  countLayer(place: Place): void {
    requireLayerCount(++this.#layerCount, place);
  }

  /** True for a layer that a build which fails anyway has gone through before: there is no more to find in it. */
  isDone(layer: string): boolean {
    if (this.hasFailed && this.#visited.has(layer)) return true;
    this.#visited.add(layer);
    return false;
  }

  #isSame({ repository, path, bytes, isFolder }: Dependency): boolean {
    const tree = repository === '' ? this.tree : this.remotes.get(repository);
    if (tree instanceof Uint8Array) return tree === bytes;
    if (tree === undefined || !('isFolder' in tree)) return false;
    return tree.get(path) === bytes && (bytes !== undefined || tree.isFolder(path) === isFolder);
  }

  /** The line on which a text starts in its file, as the file is in this build. */
  lineOf(source: YamlText): number {
    return this.cache.lineOf(source, this.tree.get(source.path));
  }

  /** Runs a step; a failure becomes a problem of the build, and the step gives undefined. */
  attempt<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof BuildFailure)) throw error;
      this.problems.push(error.problem);
      return undefined;
    }
  }
}
