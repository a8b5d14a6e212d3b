#!/usr/bin/env node
// Runs the binary of this machine's architecture, and ends as it does.
const { spawnSync } = require("node:child_process");
const { join } = require("node:path");

const ended = spawnSync(join(__dirname, `bzc-${process.arch}`), process.argv.slice(2), { stdio: "inherit" });
if (ended.error) throw ended.error;
if (ended.signal) process.kill(process.pid, ended.signal);
process.exitCode = ended.status ?? 1;
