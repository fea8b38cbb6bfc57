// Made by `UPDATE_CATALOG=1 npx vitest run test/postgres/expected-catalog.test.ts` from the migrations. Do not edit.

/** What the function `catalog` tells about a schema that is as it should be; the hashes of bodies come from the migrations. */
export const expectedCatalog: Readonly<Record<string, string>> = {
  'aggregate digest_chain': '(commit_id uuid, start text), text, internal, immutable, sfunc @@.next_digest',
  'column head.anon_allowed': 'boolean not null default false',
  'column head.at': 'bigint not null',
  'column head.digest': 'text not null',
  'column head.first_digest': 'text not null',
  'column head.first_revision': 'bigint not null',
  'column head.floor': 'bigint not null',
  'column head.id': 'smallint not null default 1',
  'column head.lineage': 'uuid not null',
  'column head.oldest_writer': 'integer not null',
  'column head.revision': 'bigint not null',
  'column head.schema_number': 'integer not null',
  'column head.swept': 'bigint not null',
  'column journal.actor': 'text not null',
  'column journal.at': 'bigint not null',
  'column journal.commit_id': 'uuid not null',
  'column journal.created_at': 'bigint[] not null',
  'column journal.digest': 'text not null',
  'column journal.fingerprint': 'text',
  'column journal.needed': 'integer not null',
  'column journal.previous': 'bigint[] not null',
  'column journal.prior': 'bigint[] not null',
  'column journal.revision': 'bigint not null',
  'column journal.writes': 'jsonb not null',
  'column migrations.applied_at': 'timestamp with time zone not null default clock_timestamp()',
  'column migrations.checksum': 'text not null',
  'column migrations.name': 'text not null',
  'column migrations.source': 'text not null',
  'column migrations.version': 'integer not null',
  'column records.created_at': 'bigint not null default 0',
  'column records.data': 'jsonb not null',
  'column records.id': 'text collate C not null',
  'column records.kind': 'text collate C not null',
  'column records.revision': 'bigint not null default 0',
  'column records.updated_at': 'bigint not null default 0',
  'column tombstones.id': 'text collate C not null',
  'column tombstones.kind': 'text collate C not null',
  'column tombstones.revision': 'bigint not null',
  'column unchanged.at': 'bigint not null',
  'column unchanged.commit_id': 'uuid not null',
  'column unchanged.fingerprint': 'text not null',
  'column unchanged.number': 'bigint not null',
  'column unchanged.revisions': 'bigint[] not null',
  'column unchanged.writes': 'jsonb not null',
  'column writers.at': 'bigint not null',
  'column writers.attempt': 'bigint not null',
  'column writers.writer': 'uuid not null',
  'constraint head.head_check': 'CHECK (((floor >= 0) AND (floor <= revision)))',
  'constraint head.head_check1': 'CHECK (((swept >= 0) AND (swept <= floor)))',
  'constraint head.head_id_check': 'CHECK ((id = 1))',
  'constraint head.head_pkey': 'PRIMARY KEY (id)',
  'constraint head.head_revision_check':
    "CHECK (((revision >= 0) AND (revision <= '9007199254740991'::bigint)))",
  'constraint journal.journal_actor_check':
    'CHECK (((char_length(actor) >= 1) AND (char_length(actor) <= 256)))',
  'constraint journal.journal_fingerprint_check':
    'CHECK (((char_length(fingerprint) >= 1) AND (char_length(fingerprint) <= 256)))',
  'constraint journal.journal_pkey': 'PRIMARY KEY (revision)',
  'constraint journal.journal_writes_check': "CHECK ((jsonb_typeof(writes) = 'array'::text))",
  'constraint migrations.migrations_pkey': 'PRIMARY KEY (version)',
  'constraint records.records_data_check': "CHECK ((jsonb_typeof(data) = 'object'::text))",
  'constraint records.records_id_check': 'CHECK (((char_length(id) >= 1) AND (char_length(id) <= 512)))',
  'constraint records.records_kind_check': 'CHECK (((char_length(kind) >= 1) AND (char_length(kind) <= 64)))',
  'constraint records.records_pkey': 'PRIMARY KEY (kind, id)',
  'constraint tombstones.tombstones_pkey': 'PRIMARY KEY (kind, id)',
  'constraint unchanged.unchanged_pkey': 'PRIMARY KEY (number)',
  'constraint writers.writers_pkey': 'PRIMARY KEY (writer)',
  'function argument':
    "(p jsonb), jsonb, sql, immutable, RETURN CASE jsonb_typeof(p) WHEN 'string'::text THEN ((p #>> '{}'::text[]))::jsonb ELSE p END",
  'function as_of':
    '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, body @@',
  'function catalog': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function changes': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function commit':
    '(p jsonb), jsonb, plpgsql, volatile, search_path=pg_catalog, pg_temp, lock_timeout=5s, body @@',
  'function commit_distinct':
    '(h @@.head, batch jsonb, now_ms bigint), TABLE(results jsonb, revision bigint, digest text), plpgsql, volatile, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, plan_cache_mode=force_generic_plan, body @@',
  'function compact':
    '(p jsonb), jsonb, plpgsql, volatile, search_path=pg_catalog, pg_temp, lock_timeout=5s, body @@',
  'function current_head': '(), @@.head, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function cuts':
    '(batch jsonb), bigint[], plpgsql, immutable, search_path=pg_catalog, pg_temp, jit=off, body @@',
  'function digest_at':
    '(h @@.head, at_revision bigint), text, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function entries':
    '(above bigint, upto bigint, most bigint), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, jit=off, body @@',
  'function examine':
    '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, body @@',
  'function fork':
    '(p jsonb), jsonb, plpgsql, volatile, search_path=pg_catalog, pg_temp, lock_timeout=5s, body @@',
  'function hand_begins':
    '(), trigger, plpgsql, volatile, security definer, search_path=pg_catalog, pg_temp, lock_timeout=5s, body @@',
  'function hand_ends':
    '(), trigger, plpgsql, volatile, security definer, search_path=pg_catalog, pg_temp, body @@',
  'function hand_is_refused': '(), trigger, plpgsql, volatile, search_path=pg_catalog, pg_temp, body @@',
  'function hand_prepares_row':
    '(), trigger, plpgsql, volatile, security definer, search_path=pg_catalog, pg_temp, body @@',
  'function hand_writes_entry':
    '(), trigger, plpgsql, volatile, security definer, search_path=pg_catalog, pg_temp, body @@',
  'function head': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function head_json': '(h @@.head), jsonb, sql, immutable, search_path=pg_catalog, pg_temp, body @@',
  'function history': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function inspect': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function load': '(p jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, jit=off, body @@',
  'function lock_head':
    '(schema_of_caller integer), jsonb, plpgsql, volatile, search_path=pg_catalog, pg_temp, body @@',
  'function migrations': '(p jsonb), jsonb, sql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function next_digest':
    '(before text, commit_id uuid, start text), text, plpgsql, immutable, search_path=pg_catalog, pg_temp, body @@',
  'function off_track':
    '(h @@.head, after jsonb), jsonb, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function page':
    '(after jsonb, only_kind text, only_id text, most bigint), TABLE(kind text, id text, data jsonb, revision bigint, created_at bigint, updated_at bigint), plpgsql, stable, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, body @@',
  'function public.@@_as_of':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.as_of(p)',
  'function public.@@_catalog':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.catalog(p)',
  'function public.@@_changes':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.changes(p)',
  'function public.@@_commit':
    '(p jsonb), jsonb, sql, volatile, security definer, search_path=pg_catalog, pg_temp, as select @@.commit(p)',
  'function public.@@_compact':
    '(p jsonb), jsonb, sql, volatile, security definer, search_path=pg_catalog, pg_temp, as select @@.compact(p)',
  'function public.@@_examine':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.examine(p)',
  'function public.@@_fork':
    '(p jsonb), jsonb, sql, volatile, security definer, search_path=pg_catalog, pg_temp, as select @@.fork(p)',
  'function public.@@_head':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.head(p)',
  'function public.@@_history':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.history(p)',
  'function public.@@_inspect':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.inspect(p)',
  'function public.@@_load':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.load(p)',
  'function public.@@_migrations':
    '(p jsonb), jsonb, sql, stable, security definer, search_path=pg_catalog, pg_temp, as select @@.migrations(p)',
  'function readable':
    '(value jsonb), jsonb, plpgsql, immutable, search_path=pg_catalog, pg_temp, extra_float_digits=1, body @@',
  'function record_call':
    '(h @@.head, call jsonb, now_ms bigint), jsonb, plpgsql, volatile, search_path=pg_catalog, pg_temp, body @@',
  'function refuse_hole':
    '(revision bigint), void, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function remember_unchanged':
    '(batch jsonb, results jsonb, now_ms bigint), void, plpgsql, volatile, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, body @@',
  'function revision_at':
    '(h @@.head, moment numeric), bigint, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function sent_size':
    '(value jsonb), integer, sql, stable, RETURN CASE WHEN (pg_column_compression(value) IS NULL) THEN pg_column_size(value) ELSE octet_length((value)::text) END',
  'function sweep':
    '(h @@.head, upto bigint), void, plpgsql, volatile, search_path=pg_catalog, pg_temp, jit=off, enable_seqscan=off, body @@',
  'function unchanged_writes':
    '(wanted jsonb, revisions bigint[]), jsonb, sql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function visible_head': '(), @@.head, plpgsql, stable, search_path=pg_catalog, pg_temp, body @@',
  'function write_ordinal':
    "(writes jsonb, of_kind text, of_id text), integer, sql, immutable, RETURN (SELECT (w.ordinal)::integer AS ordinal FROM jsonb_array_elements(write_ordinal.writes) WITH ORDINALITY w(write, ordinal) WHERE (((w.write ->> 'kind'::text) = write_ordinal.of_kind) AND ((w.write ->> 'id'::text) = write_ordinal.of_id)) LIMIT 1)",
  'index head_pkey': 'CREATE UNIQUE on head USING btree (id)',
  'index journal_commit_id': 'CREATE UNIQUE on journal USING btree (commit_id)',
  'index journal_pkey': 'CREATE UNIQUE on journal USING btree (revision)',
  'index migrations_pkey': 'CREATE UNIQUE on migrations USING btree (version)',
  'index records_pkey': 'CREATE UNIQUE on records USING btree (kind, id)',
  'index tombstones_pkey': 'CREATE UNIQUE on tombstones USING btree (kind, id)',
  'index unchanged_commit_id': 'CREATE UNIQUE on unchanged USING btree (commit_id)',
  'index unchanged_pkey': 'CREATE UNIQUE on unchanged USING btree (number)',
  'index writers_pkey': 'CREATE UNIQUE on writers USING btree (writer)',
  'table head':
    'r, row security, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000, fillfactor=20',
  'table journal': 'r, row security',
  'table migrations': 'r, row security',
  'table records': 'r, row security, fillfactor=85',
  'table tombstones': 'r, row security',
  'table unchanged': 'r, row security',
  'table writers':
    'r, row security, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=1000, fillfactor=20',
  'trigger head.hand_is_refused':
    "CREATE TRIGGER hand_is_refused BEFORE INSERT OR DELETE OR UPDATE on head FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_is_refused()",
  'trigger head.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on head FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'trigger journal.hand_is_refused':
    "CREATE TRIGGER hand_is_refused BEFORE INSERT OR DELETE OR UPDATE on journal FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_is_refused()",
  'trigger journal.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on journal FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'trigger records.hand_begins':
    "CREATE TRIGGER hand_begins BEFORE INSERT OR DELETE OR UPDATE on records FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_begins()",
  'trigger records.hand_ends':
    "CREATE TRIGGER hand_ends AFTER INSERT OR DELETE OR UPDATE on records FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_ends()",
  'trigger records.hand_prepares_row':
    "CREATE TRIGGER hand_prepares_row BEFORE INSERT OR UPDATE on records FOR EACH ROW WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_prepares_row()",
  'trigger records.hand_writes_entry':
    "CREATE TRIGGER hand_writes_entry AFTER INSERT OR DELETE OR UPDATE on records FOR EACH ROW WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_writes_entry()",
  'trigger records.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on records FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'trigger tombstones.hand_is_refused':
    "CREATE TRIGGER hand_is_refused BEFORE INSERT OR DELETE OR UPDATE on tombstones FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_is_refused()",
  'trigger tombstones.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on tombstones FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'trigger unchanged.hand_is_refused':
    "CREATE TRIGGER hand_is_refused BEFORE INSERT OR DELETE OR UPDATE on unchanged FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_is_refused()",
  'trigger unchanged.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on unchanged FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'trigger writers.hand_is_refused':
    "CREATE TRIGGER hand_is_refused BEFORE INSERT OR DELETE OR UPDATE on writers FOR EACH STATEMENT WHEN ((current_setting('@@.writer'::text, true) IS DISTINCT FROM 'on'::text)) EXECUTE FUNCTION @@.hand_is_refused()",
  'trigger writers.truncate_is_refused':
    'CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE on writers FOR EACH STATEMENT EXECUTE FUNCTION @@.hand_is_refused()',
  'view graph_edges':
    "security_invoker=true, record_id text, source text, type text, target text, origin text, properties jsonb, revision bigint, created_at timestamp with time zone, updated_at timestamp with time zone, as SELECT id AS record_id, (data ->> 'source'::text) AS source, (data ->> 'type'::text) AS type, (data ->> 'target'::text) AS target, (data ->> 'origin'::text) AS origin, (data -> 'properties'::text) AS properties, revision, to_timestamp((((created_at)::numeric / 1000.0))::double precision) AS created_at, to_timestamp((((updated_at)::numeric / 1000.0))::double precision) AS updated_at FROM @@.records r WHERE (kind = 'edge'::text);",
  'view graph_nodes':
    "security_invoker=true, record_id text, node_id text, label text, properties jsonb, revision bigint, created_at timestamp with time zone, updated_at timestamp with time zone, as SELECT id AS record_id, (data ->> 'id'::text) AS node_id, (data ->> 'label'::text) AS label, (data -> 'properties'::text) AS properties, revision, to_timestamp((((created_at)::numeric / 1000.0))::double precision) AS created_at, to_timestamp((((updated_at)::numeric / 1000.0))::double precision) AS updated_at FROM @@.records r WHERE (kind = 'node'::text);",
  'view services':
    "security_invoker=true, service_id text, service_name text, version text, endpoint text, status text, health_check text, description text, metadata jsonb, tags jsonb, capabilities jsonb, dependencies jsonb, instance_id text, ttl_seconds jsonb, migration_file jsonb, revision bigint, registered_at timestamp with time zone, updated_at timestamp with time zone, as SELECT id AS service_id, (data ->> 'serviceName'::text) AS service_name, (data ->> 'version'::text) AS version, (data ->> 'endpoint'::text) AS endpoint, CASE WHEN (data ? 'migrationFile'::text) THEN 'active'::text ELSE 'pending_migration'::text END AS status, (data ->> 'healthCheck'::text) AS health_check, (data ->> 'description'::text) AS description, (data -> 'metadata'::text) AS metadata, (data -> 'tags'::text) AS tags, (data -> 'capabilities'::text) AS capabilities, (data -> 'dependencies'::text) AS dependencies, (data ->> 'instanceId'::text) AS instance_id, (data -> 'ttlSeconds'::text) AS ttl_seconds, (data -> 'migrationFile'::text) AS migration_file, revision, to_timestamp((((created_at)::numeric / 1000.0))::double precision) AS registered_at, to_timestamp((((updated_at)::numeric / 1000.0))::double precision) AS updated_at FROM @@.records r WHERE (kind = 'service'::text);",
}
