import { plumbError, type ErrorCode, type PlumbError } from '../base/plumbError.ts';
import type { Origin } from '../base/position.ts';
import { kindNotServed, type Refusal } from '../clients/cluster/clusterClient.ts';
import { isSecretObject, maskText } from '../kube/mask.ts';
import { formatRef, type ObjectRef } from '../kube/object.ts';
import type { Change } from './plan.ts';

/** Upstream's words for a refused dry-run. Follows fluxcd/pkg ssa errors.DryRunErr. */
export function dryRunMessage(ref: ObjectRef, refusal: Refusal): string {
  const { reason, message, httpStatus } = refusal;
  if (httpStatus === 404 && reason !== kindNotServed)
    return `${formatRef(ref)} ${ref.namespace === undefined ? 'namespace not specified' : 'not found'}: ${message}`;
  const conflict = refusal.causes.find((cause) => cause.reason === 'FieldManagerConflict');
  const shown = conflict?.reason ?? (reason === kindNotServed ? '' : reason);
  return `${formatRef(ref)} dry-run failed${shown === '' ? '' : ` (${shown})`}: ${message}`;
}

/** The failure of a run over a refused request: AccessDenied for missing rights, else ReconciliationFailed. */
export function refusedError(ref: ObjectRef, message: string, refusal: Refusal, origin?: Origin): PlumbError {
  const code: ErrorCode = isMissingRight(refusal) ? 'AccessDenied' : 'ReconciliationFailed';
  return plumbError(code, {
    message,
    // The condition's reason is upstream's, whatever the right handling is.
    reason: 'ReconciliationFailed',
    ...(origin !== undefined && { origin }),
    hint: refusalHint(ref, refusal),
  });
}

/** What the server said about an object, without the values of a Secret and decrypted ones. */
export function maskedRefusal(
  { desired: object, hidden }: Pick<Change, 'desired' | 'hidden'>,
  refusal: Refusal,
): Refusal {
  if (!isSecretObject(object) && hidden === undefined) return refusal;
  const causes = refusal.causes.map((cause) => ({
    ...cause,
    ...(cause.message !== undefined && { message: maskText(object, cause.message, hidden) }),
  }));
  return { ...refusal, message: maskText(object, refusal.message, hidden), causes };
}

/** Tells whether the server said that the identity lacks a right (admission answers Forbidden as well). */
export function isMissingRight({ httpStatus, message }: Refusal): boolean {
  return httpStatus === 403 && / forbidden: User "[^"]*" cannot /.test(message);
}

/** Tells whether upstream takes the refusal for a changed immutable field: with `force` it recreates the object. */
export function isImmutableRefusal({ httpStatus, message }: Refusal): boolean {
  return httpStatus === 409 || httpStatus === 422 || /is\simmutable|immutable\sfield/.test(message);
}

/** Tells whether nothing can be created because the namespace is on its way out. */
export function isNamespaceEnding({ causes, message }: Refusal): boolean {
  return (
    causes.some(({ reason }) => reason === 'NamespaceTerminating') ||
    /because it is being terminated/.test(message)
  );
}

/** What the user can do about a refusal. */
export function refusalHint(ref: ObjectRef, refusal: Refusal): string {
  if (isNamespaceEnding(refusal))
    return `wait until the namespace ${ref.namespace ?? ''} is gone, and run it again; kubectl get namespace shows what holds it`;
  if (isMissingRight(refusal))
    return `grant the identity the verbs get and patch on ${ref.kind}, or name a service account that has them`;
  if (refusal.reason === kindNotServed)
    return `install the CustomResourceDefinition of ${ref.kind}, or correct apiVersion and kind`;
  if (/ is immutable|immutable field/.test(refusal.message))
    return 'set spec.force or annotate the object with kustomize.toolkit.fluxcd.io/force: enabled to recreate it';
  if (/failed calling webhook/.test(refusal.message))
    return 'the admission webhook it names does not answer: ask who runs it, and look at the Service and the pods behind it';
  if (/admission webhook/.test(refusal.message))
    return 'correct the object, or ask who runs the admission webhook';
  if (refusal.httpStatus === 404) return 'create the namespace first, or add it to this set';
  return 'correct the object; the server names the field';
}
