import { dependencyCycle } from './dependencyCycle.ts';
import { duplicateObject } from './duplicateObject.ts';
import { kustomizationSchema } from './kustomizationSchema.ts';
import { missingPath } from './missingPath.ts';
import { missingReference } from './missingReference.ts';
import { missingResource } from './missingResource.ts';
import { objectSchema } from './objectSchema.ts';
import type { Rule } from './rule.ts';
import { yamlSyntax } from './yamlSyntax.ts';

/** Rules whose result depends on the file alone, and on which kinds are known and how kustomizations use the file. */
export const ownRules: readonly Rule[] = [yamlSyntax, objectSchema, kustomizationSchema];

/** Rules that look at other files too. */
export const sharedRules: readonly Rule[] = [
  missingResource,
  missingReference,
  missingPath,
  dependencyCycle,
  duplicateObject,
];

/** Every code a rule may report, sorted; each has a page under docs/diagnostics. */
export const diagnosticCodes: readonly string[] = [
  ...new Set([...ownRules, ...sharedRules].flatMap((rule) => rule.codes)),
].sort();
