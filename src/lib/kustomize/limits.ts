import type { Node, Place } from './node.ts';
import { fail } from './problem.ts';

/**
 * Bounds that no repository for Flux comes near. Without them a few lines could ask for more than any memory holds: a field
 * copied into itself again and again, or a base taken up twice on every level.
 */
const maxDepth = 300;
const maxLayers = 10_000;
const maxObjects = 50_000;
const maxCopied = 64_000_000;
const hints = {
  again:
    'look for a base that is taken up more than once on several levels, or build the parts by themselves',
};

/** Ends a build whose kustomizations lie too deep below each other. Throws BuildFailure. */
export function requireDepth(depth: number, place: Place): void {
  if (depth > maxDepth)
    fail(
      'build-not-supported',
      `more than ${maxDepth} kustomizations lie one below the other`,
      place,
      'list the folders side by side',
    );
}

/** Ends a build that takes up kustomizations again and again. Throws BuildFailure. */
export function requireLayerCount(count: number, place: Place): void {
  if (count > maxLayers)
    fail(
      'build-not-supported',
      `the build takes up more than ${maxLayers.toLocaleString('en')} kustomizations`,
      place,
      hints.again,
    );
}

/** Ends a build that makes too many objects. Throws BuildFailure. */
export function requireObjectCount(count: number, place: Place): void {
  if (count > maxObjects)
    fail(
      'build-not-supported',
      `the kustomization makes more than ${maxObjects.toLocaleString('en')} objects`,
      place,
      hints.again,
    );
}

/** What one step of a build may copy from fields to fields. */
export class CopyBudget {
  #left = maxCopied;

  /** Counts a node with all below it. Throws BuildFailure when it is too much. */
  take(node: Node, place: Place): void {
    this.takeText(node.text.length + 100, place);
    for (const item of node.items) this.take(item, place);
  }

  /** Counts characters. Throws BuildFailure when there are too many. */
  takeText(length: number, place: Place): void {
    this.#left -= length;
    if (this.#left < 0)
      fail(
        'build-not-supported',
        'the copies that are made here are larger than 64 MB',
        place,
        'a field that is copied into itself doubles each time: copy what is in it, or write it out',
      );
  }
}
