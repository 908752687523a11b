#!/usr/bin/env node
import { hideArguments } from './secrets';
import { runProgram } from './program';

hideArguments();
void runProgram(process.argv.slice(2)).then((code) => (process.exitCode = code));
