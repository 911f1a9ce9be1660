import type { Secret } from '../base/secret.ts';

/** What a credential is for, and where it will be used. */
export interface CredentialRequest {
  readonly purpose: 'gitPassword' | 'gitToken' | 'sshKeyPassphrase';
  /** `host` or `host:port` of the remote; for a passphrase the path of the key file. */
  readonly host: string;
  /** The user name it belongs to, where there is one. */
  readonly username?: string;
}

/**
 * Where the engine gets credentials that stand in no kubeconfig and no Secret: the host's SecretStorage, the CLI's
 * environment and flags. They never travel inside options, plans or events.
 */
export interface Credentials {
  /** Undefined when the user has none or gives none. */
  get(request: CredentialRequest, signal?: AbortSignal): Promise<Secret<string> | undefined>;
}
