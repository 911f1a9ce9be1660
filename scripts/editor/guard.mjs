// Runs a program in this process's group and ends the whole group when the program ends or the starter is gone,
// however it went: its end of our stdin closes. Usage: node guard.mjs program args...
import { spawn } from 'node:child_process';

const [program, ...args] = process.argv.slice(2);
const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });

const killGroup = () => process.kill(-process.pid, 'SIGKILL');

process.on('SIGTERM', () => undefined);
process.stdin
  .on('close', () => {
    process.kill(-process.pid, 'SIGTERM');
    setTimeout(killGroup, 3000);
  })
  .resume();
child.on('error', (error) => {
  process.stderr.write(`${program}: ${error.message}\n`);
  killGroup();
});
// Its own children may outlive it for a while.
child.on('exit', (code, signal) => {
  process.stderr.write(`${args[0] ?? program} ended with ${code ?? signal}\n`, killGroup);
});
