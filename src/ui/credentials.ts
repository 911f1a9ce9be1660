import * as vscode from 'vscode';
import { Secret } from '../base/secret.ts';
import type { CredentialRequest, Credentials } from '../protocol/credentials.ts';
import { credentialKey, credentialLabel, credentialQuestion } from './model/credentialText.ts';

/** Answers the engine's questions for credentials. */
export interface CredentialBroker extends Credentials {
  /** What the user typed since the last call did what it was typed for: asks whether to store it. */
  worked(): void;
  /** It did not, or nobody knows: it is dropped, and asked for again the next time. */
  drop(): void;
  /** Asks which of the stored ones to forget. */
  forget(): Promise<void>;
}

interface Typed {
  readonly request: CredentialRequest;
  readonly secret: Secret<string>;
}

/**
 * From the editor's SecretStorage, else from the user, who decides whether it is stored once it is known to work. Until then
 * what was typed lies in memory. Logs nothing.
 */
export function brokerCredentials(secrets: vscode.SecretStorage): CredentialBroker {
  const typed = new Map<string, Typed>();
  return {
    async get(request) {
      const key = credentialKey(request);
      const stored = await secrets.get(key);
      if (stored !== undefined) return new Secret(stored);
      const before = typed.get(key);
      if (before !== undefined) return before.secret;
      const answer = await ask(request);
      if (answer === undefined) return undefined;
      const secret = new Secret(answer);
      typed.set(key, { request, secret });
      return secret;
    },
    worked() {
      // Not awaited: what worked is done, whatever the user decides about the next time.
      for (const [key, { request, secret }] of typed)
        void offerToStore(request, () => secrets.store(key, secret.reveal()));
      typed.clear();
    },
    drop: () => typed.clear(),
    async forget() {
      const stored = (await secrets.keys()).flatMap((key) => {
        const label = credentialLabel(key);
        return label === undefined ? [] : [{ ...label, key }];
      });
      if (stored.length === 0) {
        void vscode.window.showInformationMessage('Plumb has stored no credentials.');
        return;
      }
      const title = 'Credentials to forget';
      for (const { key } of (await vscode.window.showQuickPick(stored, { title, canPickMany: true })) ?? [])
        await secrets.delete(key);
    },
  };
}

async function ask(request: CredentialRequest): Promise<string | undefined> {
  const typed = await vscode.window.showInputBox({
    title: credentialQuestion(request),
    password: true,
    ignoreFocusOut: true,
  });
  return typed === '' ? undefined : typed;
}

async function offerToStore(request: CredentialRequest, store: () => Thenable<void>): Promise<void> {
  const button = 'Store';
  const question = `Store it in the editor's secret storage? ${credentialQuestion(request)}`;
  if ((await vscode.window.showInformationMessage(question, button)) === button) await store();
}
