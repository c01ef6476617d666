BEGIN TRANSACTION;
CREATE TABLE accounts(
  source TEXT PRIMARY KEY, read INTEGER NOT NULL, stored INTEGER NOT NULL, ignored INTEGER NOT NULL,
  expired INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "accounts" VALUES('node-a',61,60,0,0);
CREATE TABLE admitted(
  source TEXT NOT NULL, realm TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL,
  by_success INTEGER NOT NULL, PRIMARY KEY(source, realm, name)) WITHOUT ROWID;
INSERT INTO "admitted" VALUES('node-a','','client-0',1,1);
INSERT INTO "admitted" VALUES('node-a','','client-1',2,1);
INSERT INTO "admitted" VALUES('node-a','','client-2',3,1);
INSERT INTO "admitted" VALUES('node-a','','client-3',4,1);
INSERT INTO "admitted" VALUES('node-a','','client-4',5,1);
CREATE TABLE gaps(
  id INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, generation INTEGER NOT NULL, first INTEGER NOT NULL,
  last INTEGER, found_at REAL NOT NULL, why TEXT NOT NULL);
CREATE TABLE generations(
  number INTEGER PRIMARY KEY, source TEXT NOT NULL, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  h BLOB, offset INTEGER NOT NULL, head_length INTEGER NOT NULL, head_digest BLOB NOT NULL, tail_length INTEGER NOT NULL,
  tail_digest BLOB NOT NULL, ordinal INTEGER NOT NULL, size_seen INTEGER NOT NULL, status TEXT NOT NULL,
  segments TEXT NOT NULL, skipped_from INTEGER NOT NULL, skipped_to INTEGER NOT NULL, rules TEXT NOT NULL);
INSERT INTO "generations" VALUES(1,'node-a','@DIRECTORY@/logs/audit.log.1',65024,9987664,X'04E65FEB1DADC399',7878,1024,X'0B2DA20D1B6022BB219C43DC35C2C5E0',4096,X'63D409928347873DF679200F6080EBF1',41,7878,'open','[[0, 1]]',0,0,'5fd2b5aa11dfd6a9');
INSERT INTO "generations" VALUES(2,'node-a','@DIRECTORY@/logs/audit.log',65024,9986086,X'F087DFB7785465FA',3940,1024,X'C90923233881C31CAF0EC4022D9DCE09',3940,X'636FE5CE29957B42BA0DD0F22E52F4A9',20,3940,'open','[[0, 43]]',0,0,'5fd2b5aa11dfd6a9');
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO "meta" VALUES('followed:node-a','1');
INSERT INTO "meta" VALUES('heartbeat','1796030511.872747');
INSERT INTO "meta" VALUES('host','host-1');
INSERT INTO "meta" VALUES('rejected_mark','321:29c63e75f38dbbcc');
INSERT INTO "meta" VALUES('sent_by:node-a','90b49b6e5a22393a');
INSERT INTO "meta" VALUES('store','influxdb');
CREATE TABLE moves(
  number INTEGER PRIMARY KEY, outdated TEXT NOT NULL, body BLOB NOT NULL, times TEXT NOT NULL);
CREATE TABLE rejected_by_reason(
  source TEXT NOT NULL, reason TEXT NOT NULL, lines INTEGER NOT NULL, PRIMARY KEY(source, reason)) WITHOUT ROWID;
INSERT INTO "rejected_by_reason" VALUES('node-a','invalid_json',1);
CREATE TABLE replayed(
  generation INTEGER NOT NULL, offset INTEGER NOT NULL, PRIMARY KEY(generation, offset)) WITHOUT ROWID;
CREATE TABLE requests(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, arguments TEXT NOT NULL, created REAL NOT NULL,
  started REAL, finished REAL, answer TEXT);
CREATE TABLE series(
  number INTEGER PRIMARY KEY,
  action TEXT NOT NULL DEFAULT '', client_id TEXT NOT NULL DEFAULT '', endpoint TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '', grant_type TEXT NOT NULL DEFAULT '', host TEXT NOT NULL DEFAULT '',
  outcome TEXT NOT NULL DEFAULT '', realm TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '');
INSERT INTO "series" VALUES(1,'token.refreshed','client-0','token','','refresh_token','host-1','success','','node-a');
INSERT INTO "series" VALUES(2,'token.refreshed','client-1','token','','refresh_token','host-1','success','','node-a');
INSERT INTO "series" VALUES(3,'token.refreshed','client-2','token','','refresh_token','host-1','success','','node-a');
INSERT INTO "series" VALUES(4,'token.refreshed','client-3','token','','refresh_token','host-1','success','','node-a');
INSERT INTO "series" VALUES(5,'token.refreshed','client-4','token','','refresh_token','host-1','success','','node-a');
CREATE TABLE tagged_users(
  source TEXT NOT NULL, user_id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY(source, user_id),
  UNIQUE(source, tag)) WITHOUT ROWID;
INSERT INTO "tagged_users" VALUES('node-a','u-1','u-1');
CREATE TABLE token_events(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  user_id TEXT, ip TEXT, user_agent TEXT, scopes TEXT, client TEXT, expires_in INTEGER,
  fraction TEXT, event_id TEXT, error_detail TEXT,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
CREATE TABLE token_events_1h(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  events INTEGER NOT NULL, lifetime_sum INTEGER NOT NULL, lifetime_count INTEGER NOT NULL,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
INSERT INTO "token_events_1h" VALUES(1793491200000000000,1,17,0,0);
INSERT INTO "token_events_1h" VALUES(1793491200000000000,2,17,0,0);
INSERT INTO "token_events_1h" VALUES(1793491200000000000,3,9,0,0);
INSERT INTO "token_events_1h" VALUES(1793491200000000000,4,9,0,0);
INSERT INTO "token_events_1h" VALUES(1793491200000000000,5,8,0,0);
CREATE TABLE token_totals_15m(
  time INTEGER NOT NULL, series INTEGER NOT NULL,
  events INTEGER NOT NULL, lifetime_sum INTEGER NOT NULL, lifetime_count INTEGER NOT NULL,
  PRIMARY KEY(time, series)) WITHOUT ROWID;
INSERT INTO "token_totals_15m" VALUES(1793491200000000000,1,60,0,0);
CREATE TABLE token_users_1d(
  time INTEGER NOT NULL, user_id TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL,
  events INTEGER NOT NULL, issued INTEGER NOT NULL, refreshed INTEGER NOT NULL, failed INTEGER NOT NULL,
  PRIMARY KEY(time, user_id, source, host)) WITHOUT ROWID;
INSERT INTO "token_users_1d" VALUES(1793491200000000000,'u-1','node-a','host-1',60,0,60,0);
CREATE TABLE total_series(
  number INTEGER PRIMARY KEY,
  action TEXT NOT NULL, endpoint TEXT NOT NULL, error TEXT NOT NULL, grant_type TEXT NOT NULL, host TEXT NOT NULL,
  outcome TEXT NOT NULL, realm TEXT NOT NULL, source TEXT NOT NULL,
  UNIQUE(action, endpoint, error, grant_type, host, outcome, realm, source));
INSERT INTO "total_series" VALUES(1,'token.refreshed','token','','refresh_token','host-1','success','','node-a');
CREATE TABLE unwritten_hours(
  time INTEGER NOT NULL, series INTEGER NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(time, series)) WITHOUT ROWID;
INSERT INTO "unwritten_hours" VALUES(1793491200000000000,1,43);
INSERT INTO "unwritten_hours" VALUES(1793491200000000000,2,43);
INSERT INTO "unwritten_hours" VALUES(1793491200000000000,3,43);
INSERT INTO "unwritten_hours" VALUES(1793491200000000000,4,43);
INSERT INTO "unwritten_hours" VALUES(1793491200000000000,5,43);
CREATE TABLE unwritten_totals(
  time INTEGER NOT NULL, series INTEGER NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY(time, series)) WITHOUT ROWID;
INSERT INTO "unwritten_totals" VALUES(1793491200000000000,1,43);
CREATE TABLE unwritten_users(
  time INTEGER NOT NULL, user_id TEXT NOT NULL, source TEXT NOT NULL, host TEXT NOT NULL, mark INTEGER NOT NULL,
  PRIMARY KEY(time, user_id, source, host)) WITHOUT ROWID;
INSERT INTO "unwritten_users" VALUES(1793491200000000000,'u-1','node-a','host-1',43);
CREATE INDEX token_events_client ON token_events(time, client) WHERE client IS NOT NULL;
PRAGMA user_version=1;
COMMIT;
