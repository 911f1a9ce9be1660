// Runs a program in this process's group and ends the group when the starter is gone, however it went:
// its end of our stdin closes. Usage: node guard.mjs program args...
import { spawn } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

const endGroup = () => {
  process.on('SIGTERM', () => undefined);
  process.kill(-process.pid, 'SIGTERM');
  setTimeout(() => process.kill(-process.pid, 'SIGKILL'), 3000);
};
process.stdin.on('close', endGroup).resume();
child.on('error', (error) => {
  process.stderr.write(`${program}: ${error.message}\n`);
  process.exit(1);
});
child.on('exit', (code) => process.exit(code ?? 1));
