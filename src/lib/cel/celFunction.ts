import type { CelValue } from './values.ts';

/** A function by its run-time behaviour: it looks at the values' types itself. */
export interface CelFunction {
  /** Numbers of arguments, the target included; a call with another number is refused before it is evaluated. */
  readonly arities: readonly number[];
  readonly invoke: (args: readonly CelValue[]) => CelValue;
}
