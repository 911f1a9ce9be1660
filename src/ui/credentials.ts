import * as vscode from 'vscode';
import { Secret } from '../base/secret.ts';
import type { CredentialRequest, Credentials } from '../protocol/credentials.ts';
import { credentialKey, credentialLabel, credentialQuestion } from './model/credentialText.ts';

/** Answers the engine's questions for credentials. */
export interface CredentialBroker extends Credentials {
  /** Asks which of the stored ones to forget. */
  forget(): Promise<void>;
}

/** From the editor's SecretStorage, else from the user, who decides whether it is stored. Keeps and logs nothing itself. */
export function brokerCredentials(secrets: vscode.SecretStorage): CredentialBroker {
  return {
    async get(request) {
      const key = credentialKey(request);
      const stored = await secrets.get(key);
      if (stored !== undefined) return new Secret(stored);
      const typed = await ask(request);
      if (typed === undefined) return undefined;
      // Not awaited: the engine goes on whatever the user decides about the next time.
      void offerToStore(request, () => secrets.store(key, typed));
      return new Secret(typed);
    },
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
