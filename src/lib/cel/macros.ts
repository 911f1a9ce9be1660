import { CelSyntaxError, type CallNode, type CelNode } from './ast.ts';

/** What a call stands for: a macro of CEL or of optional types is replaced, any other call stays. */
export function expandMacro(call: CallNode): CelNode {
  const { name, target, args, offset } = call;
  if (target === undefined) return name === 'has' && args.length === 1 ? expandHas(call) : call;
  const [first, second, third] = args;
  if (first === undefined || second === undefined) return call;
  const comprehension = (
    macro: 'all' | 'exists' | 'exists_one' | 'map' | 'filter',
    predicate: CelNode | undefined,
    transform?: CelNode,
  ): CelNode => ({
    kind: 'comprehension',
    offset,
    macro,
    range: target,
    variable: simpleName(first, 'argument must be a simple name'),
    predicate,
    transform,
  });
  if (name === 'map' && args.length === 3) return comprehension('map', second, third);
  if (args.length !== 2) return call;
  switch (name) {
    case 'all':
    case 'exists':
    case 'exists_one':
    case 'filter':
      return comprehension(name, second);
    case 'map':
      return comprehension('map', undefined, second);
    case 'optMap':
    case 'optFlatMap': {
      const variable = simpleName(first, `${name}() variable name must be a simple identifier`);
      return { kind: 'optMap', offset, target, variable, body: second, isFlat: name === 'optFlatMap' };
    }
    default:
      return call;
  }
}

function expandHas({ args, offset }: CallNode): CelNode {
  const [argument] = args;
  if (argument?.kind !== 'select' || argument.isOptional) {
    throw new CelSyntaxError('invalid argument to has() macro', offset);
  }
  return { kind: 'has', offset, operand: argument.operand, field: argument.field };
}

function simpleName(node: CelNode, message: string): string {
  if (node.kind === 'ident' && !node.name.startsWith('.')) return node.name;
  throw new CelSyntaxError(message, node.offset);
}
