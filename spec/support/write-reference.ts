/** Writes what is made from the code into the README: `npm run reference`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { withReference } from './reference';

const README = resolve(__dirname, '../../README.md');

writeFileSync(README, withReference(readFileSync(README, 'utf8')));
