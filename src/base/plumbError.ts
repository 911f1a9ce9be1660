import type { Origin } from './position.ts';

/** How a failure is handled: retry, exit code and how loudly it is shown follow from it (architecture, section 10). */
export type ErrorKind = 'stalled' | 'waiting' | 'transient' | 'cancelled' | 'bug';

/** Every code, alphabetical, with its kind. Codes equal Flux condition reasons wherever Flux has one. */
const kindByCode = {
  AccessDenied: 'stalled',
  ArtifactFailed: 'transient',
  ArtifactNotFound: 'waiting',
  AuthenticationFailed: 'stalled',
  BuildFailed: 'stalled',
  Cancelled: 'cancelled',
  ClusterUnreachable: 'transient',
  DecryptionFailed: 'stalled',
  DependencyNotReady: 'waiting',
  EngineStopped: 'transient',
  GitOperationFailed: 'transient',
  HealthCheckCanceled: 'cancelled',
  HealthCheckFailed: 'transient',
  Internal: 'bug',
  InvalidCELExpression: 'stalled',
  InvalidConfiguration: 'stalled',
  InvalidPath: 'stalled',
  KubeconfigInvalid: 'stalled',
  LeaseLost: 'waiting',
  ModeForbids: 'stalled',
  NotFound: 'stalled',
  PlanOutdated: 'waiting',
  PruneFailed: 'transient',
  ReconciliationFailed: 'transient',
  RequestFailed: 'transient',
  SandboxFailed: 'transient',
  SecretEncrypted: 'stalled',
  TreeTooLarge: 'stalled',
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof kindByCode;

export interface PlumbErrorDetails {
  /** What failed and why: `<what>: <cause>`, lower case, no full stop, no secret. */
  readonly message: string;
  /** The object it is about, as `Kind/namespace/name`; put in front of the message when shown. */
  readonly subject?: string;
  /** The Flux condition reason, where it differs from the code. */
  readonly reason?: string;
  readonly origin?: Origin;
  /** What the user can do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A failure with a code; the only error class of the project. Bad user files are Diagnostics instead. */
export class PlumbError extends Error {
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: PlumbErrorDetails;

  constructor(code: ErrorCode, details: PlumbErrorDetails) {
    super(details.subject === undefined ? details.message : `${details.subject}: ${details.message}`, {
      cause: details.cause,
    });
    this.name = 'PlumbError';
    this.code = code;
    this.kind = kindByCode[code];
    this.details = details;
  }

  get reason(): string {
    return this.details.reason ?? this.code;
  }

  get hint(): string | undefined {
    return this.details.hint;
  }

  /** The shape that crosses a process; the cause is reduced to its message. */
  toJSON(): PlumbErrorJson {
    const { message, subject, reason, origin, hint } = this.details;
    return {
      code: this.code,
      message,
      ...(subject !== undefined && { subject }),
      ...(reason !== undefined && { reason }),
      ...(origin !== undefined && { origin }),
      ...(hint !== undefined && { hint }),
    };
  }
}

export interface PlumbErrorJson extends Omit<PlumbErrorDetails, 'cause'> {
  readonly code: ErrorCode;
}

/** Makes the error; `throw plumbError('BuildFailed', {...})`. */
export function plumbError(code: ErrorCode, details: PlumbErrorDetails): PlumbError {
  return new PlumbError(code, details);
}

/** Tells whether the value is a PlumbError, with that code when one is given. */
export function isPlumbError(value: unknown, code?: ErrorCode): value is PlumbError {
  return isOfThisKind(value) && (code === undefined || value.code === code);
}

/** Told by its shape: each bundle of the editor has a class of its own, and errors go from one to the other. */
function isOfThisKind(value: unknown): value is PlumbError {
  return value instanceof Error && value.name === 'PlumbError' && 'code' in value && 'details' in value;
}

/** The error on the other side of a process boundary. An unknown code becomes Internal. */
export function plumbErrorFromJson(json: PlumbErrorJson): PlumbError {
  const { code, ...details } = json;
  return new PlumbError(Object.hasOwn(kindByCode, code) ? code : 'Internal', details);
}

/** Whatever was caught, as a PlumbError: aborts become Cancelled, strangers become Internal with the cause kept. */
export function asPlumbError(error: unknown): PlumbError {
  if (isOfThisKind(error)) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new PlumbError('Cancelled', { message: 'cancelled', cause: error });
  return new PlumbError('Internal', {
    message: error instanceof Error ? error.message : String(error),
    cause: error,
  });
}

/** The process exit code of the CLI for a failure of that kind (documented in README). */
export function exitCodeOf(kind: ErrorKind): number {
  switch (kind) {
    case 'stalled':
      return 2;
    case 'waiting':
      return 3;
    case 'transient':
      return 4;
    case 'bug':
      return 70;
    case 'cancelled':
      return 130;
  }
}

/** Every code with its kind, for the documentation test. */
export function errorCodes(): ReadonlyArray<readonly [ErrorCode, ErrorKind]> {
  return Object.entries(kindByCode) as [ErrorCode, ErrorKind][];
}
