/** Why a proxy gave no way to the target: it is not there or not to be trusted, wants a login, or refuses. */
export type TunnelProblem = 'unreachable' | 'untrusted' | 'login' | 'refused';

/** A failure of the proxy, not of the server behind it; its message holds no login. */
export interface TunnelFailure extends NodeJS.ErrnoException {
  readonly tunnelProblem: TunnelProblem;
}

export function tunnelFailure(problem: TunnelProblem, error: NodeJS.ErrnoException): TunnelFailure {
  const isCertificate = /CERT|SIGNATURE|ISSUER/.test(error.code ?? '');
  const tunnelProblem = problem === 'unreachable' && isCertificate ? 'untrusted' : problem;
  return Object.assign(error, { tunnelProblem });
}

export function isTunnelFailure(error: unknown): error is TunnelFailure {
  return error instanceof Error && 'tunnelProblem' in error;
}
