import { passOf } from '../cut-over/gates';
import { changesKeys, type KeyPlan } from '../schema/key-plan';

const AUTOCOMMIT_OFF = 'SET SESSION autocommit = 0';

/** What cascades do meanwhile is watched for otherwise, and rows that had no parent before are copied as they are. */
const CHECKS_OFF = 'SET SESSION foreign_key_checks = 0';

/** What the session that copies and applies has to have, the sql_mode apart. */
export function settingsOfWork(epoch: string, keys: KeyPlan): string[] {
  return [AUTOCOMMIT_OFF, passOf(epoch), ...(changesKeys(keys) ? [CHECKS_OFF] : [])];
}
