import type { CredentialRequest } from '../../protocol/credentials.ts';

const prefix = 'plumb.credential:';

/** The name a credential is stored under; the same request gives the same name. */
export function credentialKey({ purpose, host, username }: CredentialRequest): string {
  return prefix + JSON.stringify([purpose, host, username ?? '']);
}

/** How a stored credential is listed; undefined for what is no credential. */
export function credentialLabel(
  key: string,
): { readonly label: string; readonly description: string } | undefined {
  if (!key.startsWith(prefix)) return undefined;
  const [purpose, host, username] = JSON.parse(key.slice(prefix.length)) as [
    CredentialRequest['purpose'],
    string,
    string,
  ];
  return {
    label: host,
    description: username === '' ? purposeText[purpose] : `${purposeText[purpose]} of ${username}`,
  };
}

const purposeText: Readonly<Record<CredentialRequest['purpose'], string>> = {
  gitPassword: 'password or token',
  gitToken: 'token',
  sshKeyPassphrase: 'passphrase',
};

/** What the user is asked for. */
export function credentialQuestion({ purpose, host, username }: CredentialRequest): string {
  switch (purpose) {
    case 'gitPassword':
      return `Password or token of ${username ?? 'the user'} for ${host}`;
    case 'gitToken':
      return `Token for ${host}`;
    case 'sshKeyPassphrase':
      return `Passphrase of the key ${host}`;
  }
}
