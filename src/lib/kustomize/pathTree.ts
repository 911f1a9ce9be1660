import { tags } from '../../kube/yamlScalar.ts';
import { fieldStepsOf, isPlainStep } from './fieldSpec.ts';
import { keyIndex, type Node } from './node.ts';

interface Branch {
  readonly children: Map<string, Branch>;
  /** Positions of what ends here. */
  readonly ends: number[];
}

/**
 * Things that each have the path of a field, found for an object in one pass over it: many kinds have a hundred references
 * of which a single object has three.
 */
export class PathTree<T> {
  readonly #things: readonly T[];
  /** Positions of paths that do more than lead by names: those are the step's own business. */
  readonly #always: number[] = [];
  readonly #root: Branch = { children: new Map(), ends: [] };

  constructor(things: readonly T[], pathOf: (thing: T) => string) {
    this.#things = things;
    things.forEach((thing, index) => {
      const steps = fieldStepsOf(pathOf(thing));
      if (!steps.every(isPlainStep)) {
        this.#always.push(index);
        return;
      }
      let branch = this.#root;
      for (const { name } of steps) {
        const next = branch.children.get(name) ?? { children: new Map(), ends: [] };
        branch.children.set(name, next);
        branch = next;
      }
      branch.ends.push(index);
    });
  }

  /** Those whose path leads to something in the tree, or to where a mapping is missing, in their order. */
  meetingIn(root: Node): readonly T[] {
    const met = new Set(this.#always);
    meet(root, this.#root, met);
    return met.size === 0 ? [] : this.#things.filter((_, index) => met.has(index));
  }
}

function meet(node: Node, branch: Branch, met: Set<number>): void {
  for (const end of branch.ends) met.add(end);
  if (branch.children.size === 0 || node.tag === tags.null) return;
  if (node.kind === 'seq') for (const item of node.items) meet(item, branch, met);
  else if (node.kind !== 'map') addAll(branch, met);
  else
    for (const [name, child] of branch.children) {
      const index = keyIndex(node, name);
      if (index >= 0) meet(node.items[index + 1] as Node, child, met);
    }
}

/** Where a value stands in the way of a path, the step itself tells so. */
function addAll(branch: Branch, met: Set<number>): void {
  for (const end of branch.ends) met.add(end);
  for (const child of branch.children.values()) addAll(child, met);
}
