import * as vscode from 'vscode';
import type { EngineConfig } from '../protocol/engine.ts';
import { withProxySettings } from './model/childEnvironment.ts';
import type { Binding } from './model/binding.ts';

/** What the settings, the open folders and the bound cluster tell the engine. Copied: the editor hands out proxies that cannot be sent. */
export function readEngineConfig(binding: Binding | undefined): EngineConfig {
  const settings = vscode.workspace.getConfiguration('plumb');
  const kubeconfig = settings.get<readonly string[]>('kubeconfig', []);
  const context = binding?.context ?? settings.get<string>('context', '');
  const namespace = settings.get<string>('namespace', '');
  const gitPath = settings.get<string>('gitPath', '');
  const sourceFolders = settings.get<Readonly<Record<string, string>>>('sources', {});
  const requireSopsMac = settings.get<boolean>('requireSopsMac', false);
  const useOwnCloudLogin = settings.get<boolean>('useOwnCloudLogin', false);
  return {
    folders: openFolders(),
    schedule: 'continuous',
    sourceFolders: { ...sourceFolders },
    ...(kubeconfig.length > 0 && { kubeconfig: [...kubeconfig] }),
    ...(context !== '' && { context }),
    ...(binding?.clusterUid !== undefined && { clusterUid: binding.clusterUid }),
    ...(namespace !== '' && { namespace }),
    ...(gitPath !== '' && { gitPath }),
    ...(requireSopsMac && { requireSopsMac }),
    ...(useOwnCloudLogin && { useOwnCloudLogin }),
  };
}

/** The environment of the engine's process, as it is now: the editor's, with the proxy of its settings. */
export function readEngineEnvironment(): Readonly<Record<string, string | undefined>> {
  const http = vscode.workspace.getConfiguration('http');
  return withProxySettings(process.env, {
    proxy: http.get<string>('proxy', ''),
    noProxy: http.get<readonly string[]>('noProxy', []),
    support: http.get<string>('proxySupport', 'override'),
  });
}

/** Paths of the open folders that lie on a disk. */
export function openFolders(): readonly string[] {
  return (vscode.workspace.workspaceFolders ?? [])
    .filter((folder) => folder.uri.scheme === 'file')
    .map((folder) => folder.uri.fsPath);
}
