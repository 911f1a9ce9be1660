import type { CelValue } from './values.ts';

/** A part of a parsed expression; `offset` is where it stands in the text, for messages. */
export type CelNode = { readonly offset: number } & (
  | { readonly kind: 'literal'; readonly value: CelValue }
  | { readonly kind: 'ident'; readonly name: string }
  | {
      readonly kind: 'select';
      readonly operand: CelNode;
      readonly field: string;
      readonly isOptional: boolean;
    }
  | { readonly kind: 'has'; readonly operand: CelNode; readonly field: string }
  | { readonly kind: 'index'; readonly operand: CelNode; readonly key: CelNode; readonly isOptional: boolean }
  | CallNode
  | {
      readonly kind: 'logical';
      readonly operator: '&&' | '||';
      readonly left: CelNode;
      readonly right: CelNode;
    }
  | {
      readonly kind: 'conditional';
      readonly condition: CelNode;
      readonly then: CelNode;
      readonly otherwise: CelNode;
    }
  | { readonly kind: 'list'; readonly items: readonly ListItem[] }
  | { readonly kind: 'map'; readonly entries: readonly MapEntry[] }
  | ComprehensionNode
  | {
      readonly kind: 'optMap';
      readonly target: CelNode;
      readonly variable: string;
      readonly body: CelNode;
      readonly isFlat: boolean;
    }
);

/** An operator by its name in CEL (`_+_`, `!_`), a function, or a method with its target. */
export interface CallNode {
  readonly kind: 'call';
  readonly offset: number;
  readonly name: string;
  readonly target: CelNode | undefined;
  readonly args: readonly CelNode[];
}

export interface ComprehensionNode {
  readonly kind: 'comprehension';
  readonly offset: number;
  readonly macro: 'all' | 'exists' | 'exists_one' | 'map' | 'filter';
  readonly range: CelNode;
  readonly variable: string;
  /** What is asked of each item; absent for `map` without a filter. */
  readonly predicate: CelNode | undefined;
  /** What `map` makes of each item. */
  readonly transform: CelNode | undefined;
}

export interface ListItem {
  readonly node: CelNode;
  readonly isOptional: boolean;
}

export interface MapEntry {
  readonly key: CelNode;
  readonly value: CelNode;
  readonly isOptional: boolean;
}

/** `a.b.c` as one name, when the node is nothing but names. */
export function qualifiedName(node: CelNode): string | undefined {
  if (node.kind === 'ident') return node.name.replace(/^\./, '');
  if (node.kind !== 'select' || node.isOptional) return undefined;
  const prefix = qualifiedName(node.operand);
  return prefix === undefined ? undefined : `${prefix}.${node.field}`;
}

/** A text that is no expression. */
export class CelSyntaxError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}
