import type { KubeObject } from '../../kube/object.ts';

/** Annotations that tell others, and the next Plumb after a crash, who overrides the object and what to restore. */
export const overrideAnnotations = {
  by: 'plumb.dev/override-by',
  where: 'plumb.dev/override-where',
  since: 'plumb.dev/override-since',
  until: 'plumb.dev/override-until',
  previousSuspend: 'plumb.dev/override-previous-suspend',
} as const;

/** Tells whether a Plumb, this one or another, stands in for the object's controller. */
export function isOverridden({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[overrideAnnotations.where] !== undefined;
}
