// Stands in for VS Code's native logger, which is not compiled here: without it every log channel stays empty.
'use strict';
const { appendFileSync, mkdirSync } = require('node:fs');
const { dirname } = require('node:path');

const names = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

class Logger {
  constructor(_kind, _name, path) {
    this.path = path;
    this.level = 2;
    this.isBare = false;
    mkdirSync(dirname(path), { recursive: true });
    names.forEach((name, level) => (this[name] = (text) => this.write(level, text)));
    this.warn = this.warning;
  }
  write(level, text) {
    if (level < this.level) return;
    const stamp = new Date().toISOString().replace('T', ' ').replace('Z', '');
    appendFileSync(this.path, this.isBare ? text : `${stamp} [${names[level]}] ${text}\n`);
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  clearFormatters() {
    this.isBare = true;
  }
  setPattern() {}
  flush() {}
  drop() {}
}

const create = async (name, path) => new Logger('rotating', name, path);

// One assignment each: an ES import of this file sees only names that are assigned like this.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => undefined;
exports.setFlushOn = () => undefined;
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
