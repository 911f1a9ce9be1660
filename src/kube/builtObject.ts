import type { Origin } from '../base/position.ts';
import type { HiddenFields } from './hiddenFields.ts';
import type { KubeObject } from './object.ts';

/**
 * Where the fields of one built object were set last, through every transformer.
 * Pointers are JSON pointers (`/spec/replicas`, `~1` for `/`, `~0` for `~`) into the built object.
 */
export interface Origins {
  /** The origin of the field or of its nearest ancestor that has one; '' asks for the object itself. */
  at(pointer: string): Origin | undefined;
  /** Every leaf of the object with its origin; for `--explain` and tests, not for hot paths. */
  entries(): Iterable<readonly [pointer: string, origin: Origin]>;
}

/** One object of a build, with the place that set each of its fields. */
export interface BuiltObject {
  readonly object: KubeObject;
  readonly origins: Origins;
  /** What was decrypted on the way; the values of a Secret are hidden by its kind. */
  readonly hidden?: HiddenFields;
}
