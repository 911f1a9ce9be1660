/** One condition of a selector on labels (or annotations). */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notIn' | 'exists' | 'doesNotExist' | 'greater' | 'less';
  readonly values: readonly string[];
}

const comparison = /^([^\s!=<>(),]+)\s*(==|!=|=|<|>)\s*([^\s!=<>(),]*)$/;
const membership = /^([^\s!=<>(),]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const existence = /^(!?)\s*([^\s!=<>(),]+)$/;

/** The conditions of a label selector in text form (`a=b,c in (d,e),!f`), or undefined when it cannot be read. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] | undefined {
  const requirements: LabelRequirement[] = [];
  // Commas inside parentheses belong to a list of values.
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = parseRequirement(part.trim());
    if (requirement === undefined) return undefined;
    requirements.push(requirement);
  }
  return requirements;
}

/** Tells whether a map of labels meets every condition. */
export function matchesLabels(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>>,
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    switch (operator) {
      case 'in':
        return value !== undefined && values.includes(value);
      case 'notIn':
        return value === undefined || !values.includes(value);
      case 'exists':
        return value !== undefined;
      case 'doesNotExist':
        return value === undefined;
      case 'greater':
        return isInteger(value) && Number(value) > Number(values[0]);
      case 'less':
        return isInteger(value) && Number(value) < Number(values[0]);
    }
  });
}

function parseRequirement(text: string): LabelRequirement | undefined {
  const compared = comparison.exec(text);
  if (compared !== null) {
    const [, key = '', sign, value = ''] = compared;
    if (sign === '<' || sign === '>')
      return isInteger(value)
        ? { key, operator: sign === '<' ? 'less' : 'greater', values: [value] }
        : undefined;
    return { key, operator: sign === '!=' ? 'notIn' : 'in', values: [value] };
  }
  const member = membership.exec(text);
  if (member !== null) {
    const [, key = '', word, list = ''] = member;
    const values = list.split(',').map((value) => value.trim());
    return { key, operator: word === 'in' ? 'in' : 'notIn', values };
  }
  const [, not, key] = existence.exec(text) ?? [];
  return key === undefined
    ? undefined
    : { key, operator: not === '!' ? 'doesNotExist' : 'exists', values: [] };
}

function isInteger(value: string | undefined): value is string {
  return value !== undefined && /^-?[0-9]+$/.test(value);
}
