import type { Flavor } from '../servers';

/** A trigger of some kind, made under settings of its own on a table `emails` with a table `audit (what TEXT)`. */
export interface TriggerKind {
  readonly what: string;
  readonly only?: Flavor;
  /** Before it: SET and the like. */
  readonly under?: readonly string[];
  readonly sql: string;
}

const AFTER_INSERT = 'AFTER INSERT ON emails FOR EACH ROW';
const AUDIT = 'INSERT INTO audit (what) VALUES';
const LONG = 'a_trigger_whose_name_has_all_of_the_sixty_four_characters_in_it_';

export const KINDS: readonly TriggerKind[] = [
  ...(['BEFORE', 'AFTER'] as const).flatMap((timing) =>
    (['INSERT', 'UPDATE', 'DELETE'] as const).map((event) => ({
      what: `${timing} ${event}`,
      sql: `CREATE TRIGGER k_${timing}_${event} ${timing} ${event} ON emails FOR EACH ROW ${AUDIT} ('${timing} ${event}')`,
    })),
  ),
  {
    what: 'before another',
    sql: `CREATE TRIGGER k_before ${AFTER_INSERT} PRECEDES k_AFTER_INSERT SET @a = 1`,
  },
  { what: 'behind another', sql: `CREATE TRIGGER k_behind ${AFTER_INSERT} FOLLOWS k_before SET @a = 2` },
  { what: 'a name of 64 characters', sql: `CREATE TRIGGER ${LONG} ${AFTER_INSERT} SET @a = 3` },
  { what: 'quotes in its name', sql: `CREATE TRIGGER \`k'"\\\`\` ä\` ${AFTER_INSERT} SET @a = 4` },
  {
    what: 'emoji, quotes and backslashes in its body',
    sql: `CREATE TRIGGER k_emoji ${AFTER_INSERT} ${AUDIT} ('😀 it''s \\\\ "x" \\n')`,
  },
  {
    what: 'comments in its body',
    sql: `CREATE TRIGGER k_comments ${AFTER_INSERT} /* one; */ BEGIN -- two ' "\n ${AUDIT} ('c') # three\n; END -- four`,
  },
  {
    what: 'blanks around its body',
    sql: `CREATE  TRIGGER k_blanks\n${AFTER_INSERT}\n\n\t  BEGIN\n\n  ${AUDIT} ('b');\n\nEND`,
  },
  {
    what: 'the text of mysqldump',
    sql: `/*!50003 CREATE*/ /*!50017 DEFINER=\`root\`@\`localhost\`*/ /*!50003 TRIGGER k_dump ${AFTER_INSERT} BEGIN SET @a = 5; /* in */ END */`,
  },
  {
    what: 'a label, a loop, a handler and variables',
    sql: `CREATE TRIGGER k_block ${AFTER_INSERT} work: BEGIN DECLARE i INT DEFAULT 0; DECLARE t VARCHAR(10); DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET i = 9; WHILE i < 2 DO SET i = i + 1; END WHILE; IF NEW.id < 0 THEN LEAVE work; END IF; CASE i WHEN 2 THEN SET t = 'two'; ELSE BEGIN END; END CASE; END work`,
  },
  {
    what: 'a body that reads the table itself',
    sql: `CREATE TRIGGER k_self ${AFTER_INSERT} INSERT INTO audit (what) SELECT CONCAT('of ', COUNT(*)) FROM emails`,
  },
  {
    what: 'a body that calls a procedure',
    under: ['CREATE PROCEDURE noted(IN t TEXT) INSERT INTO audit (what) VALUES (t)'],
    sql: `CREATE TRIGGER k_call ${AFTER_INSERT} CALL noted('called')`,
  },
  {
    what: 'another account',
    sql: `CREATE DEFINER = root@localhost TRIGGER k_definer ${AFTER_INSERT} SET @a = 6`,
  },
  ...[
    'ANSI_QUOTES',
    'PIPES_AS_CONCAT',
    'NO_BACKSLASH_ESCAPES',
    'IGNORE_SPACE',
    'ANSI',
    'HIGH_NOT_PRECEDENCE',
    'TRADITIONAL',
    '',
  ].map((mode) => ({
    what: `sql_mode '${mode}'`,
    under: [`SET SESSION sql_mode = '${mode}'`],
    sql: `CREATE TRIGGER k_mode_${mode} ${AFTER_INSERT} ${AUDIT} (CONCAT('0' || '1', '\\\\'))`,
  })),
  {
    what: 'ANSI_QUOTES and names in double quotes',
    under: ["SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"],
    sql: `CREATE TRIGGER "k""q" AFTER UPDATE ON "emails" FOR EACH ROW INSERT INTO "audit" ("what") VALUES (CONCAT('\\', NEW."note"))`,
  },
  ...(
    [
      ['latin1', 'latin1_general_ci', 'Zoë \u0080\u0093x\u0094'],
      ['cp1251', 'cp1251_bin', 'жук'],
      ['gbk', 'gbk_chinese_ci', '汉字'],
      ['utf8mb3', 'utf8mb3_unicode_ci', 'Ünï'],
      ['utf8mb4', 'utf8mb4_bin', '😀'],
    ] as const
  ).map(([charset, collation, word]) => ({
    what: `character set ${charset} with ${word}`,
    under: [`SET NAMES ${charset} COLLATE ${collation}`],
    sql: `CREATE TRIGGER k_${charset} ${AFTER_INSERT} ${AUDIT} ('${word}')`,
  })),
  {
    what: 'IF NOT EXISTS',
    sql: `CREATE TRIGGER IF NOT EXISTS k_exists ${AFTER_INSERT} SET @a = 7`,
  },
  {
    what: 'OR REPLACE',
    only: 'mariadb',
    sql: `CREATE OR REPLACE TRIGGER k_replace ${AFTER_INSERT} SET @a = 8`,
  },
  {
    what: 'sql_mode ORACLE',
    only: 'mariadb',
    under: ["SET SESSION sql_mode = 'ORACLE'"],
    sql: `CREATE TRIGGER k_oracle BEFORE INSERT ON emails FOR EACH ROW DECLARE x INT; BEGIN x := 1; IF :NEW.size = -1 THEN :NEW.size := x; END IF; END`,
  },
];
