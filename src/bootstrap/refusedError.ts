import { plumbError, type PlumbError } from '../base/plumbError.ts';
import type { Refusal } from '../clients/cluster/clusterClient.ts';
import { formatRef, type ObjectRef } from '../kube/object.ts';
import { isNamespaceEnding, refusalHint } from '../ssa/refusals.ts';

/** The failure for a request the API server refused: object, what was asked, the server's words and what can be done. */
export function refusedError(ref: ObjectRef, what: string, refusal: Refusal): PlumbError {
  const subject = formatRef(ref);
  const message = `${what} refused (${refusal.reason}): ${refusal.message}`;
  if (isNamespaceEnding(refusal))
    return plumbError('DependencyNotReady', { subject, message, hint: refusalHint(ref, refusal) });
  switch (refusal.httpStatus) {
    case 403:
      return plumbError('AccessDenied', {
        subject,
        message,
        hint: 'this needs rights on the whole cluster: use a context with cluster-admin, or ask its administrator',
      });
    case 404:
      return plumbError('NotFound', {
        subject,
        message,
        hint: 'the definitions of Flux or the namespace are missing: plumb install puts them there',
      });
    case 409:
      return plumbError('PlanOutdated', {
        subject,
        message,
        hint: 'the object changed meanwhile: run the same command again',
      });
    default:
      return plumbError('ReconciliationFailed', {
        subject,
        message,
        hint: 'nothing after this object was written; correct the cause and run the same command again',
      });
  }
}
