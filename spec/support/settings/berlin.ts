/** A time zone with summer time, for servers that know none: two transitions of 2024 are enough. */
export const BERLIN = [
  "DELETE FROM mysql.time_zone_name WHERE Name = 'Europe/Berlin'",
  "REPLACE INTO mysql.time_zone VALUES (900, 'N')",
  "INSERT INTO mysql.time_zone_name VALUES ('Europe/Berlin', 900)",
  "REPLACE INTO mysql.time_zone_transition_type VALUES (900, 0, 3600, 0, 'CET'), (900, 1, 7200, 1, 'CEST')",
  'REPLACE INTO mysql.time_zone_transition VALUES (900, 1711846800, 1), (900, 1729990800, 0)',
];
