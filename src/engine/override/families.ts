import { type ObjectRef, refKey } from '../../kube/object.ts';

interface Family {
  readonly root: ObjectRef;
  /** What the user was shown below the root, and agreed to. */
  readonly shown: readonly ObjectRef[];
  /** What runs from the folder made below it since. */
  readonly made: ObjectRef[];
}

/** Which overrides were started together, and so end together: by the object at their root. */
export class Families {
  readonly #families = new Map<string, Family>();

  found(root: ObjectRef, shown: readonly ObjectRef[]): void {
    this.#families.set(refKey(root), { root, shown, made: [] });
  }

  /** The root of the family that the object is the root or a member of. */
  rootOf(ref: ObjectRef): ObjectRef | undefined {
    return [...this.#families.values()].find((family) => isIn(family, ref))?.root;
  }

  /** Tells whether the object has been a member of the root's family, also where its own override is over. */
  has(root: ObjectRef, ref: ObjectRef): boolean {
    const family = this.#families.get(refKey(root));
    return family !== undefined && isIn(family, ref);
  }

  add(root: ObjectRef, made: ObjectRef): void {
    this.#families.get(refKey(root))?.made.push(made);
  }

  /** What was made below the root since. */
  madeBelow(root: ObjectRef): readonly ObjectRef[] {
    return this.#families.get(refKey(root))?.made ?? [];
  }

  /** Every member below the root. */
  below(root: ObjectRef): readonly ObjectRef[] {
    const family = this.#families.get(refKey(root));
    return family === undefined ? [] : [...family.made, ...family.shown];
  }

  roots(): readonly ObjectRef[] {
    return [...this.#families.values()].map(({ root }) => root);
  }

  forget(root: ObjectRef): void {
    this.#families.delete(refKey(root));
  }
}

function isIn({ root, shown, made }: Family, ref: ObjectRef): boolean {
  return [root, ...shown, ...made].some((member) => refKey(member) === refKey(ref));
}
