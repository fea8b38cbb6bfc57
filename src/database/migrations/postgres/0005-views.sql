-- The JSON as columns, for people and their tools.

create or replace view @schema@.services with (security_invoker = true) as
select
  r.id as service_id,
  r.data ->> 'serviceName' as service_name,
  r.data ->> 'version' as version,
  r.data ->> 'endpoint' as endpoint,
  case when r.data ? 'migrationFile' then 'active' else 'pending_migration' end as status,
  r.data ->> 'healthCheck' as health_check,
  r.data ->> 'description' as description,
  r.data -> 'metadata' as metadata,
  r.data -> 'tags' as tags,
  r.data -> 'capabilities' as capabilities,
  r.data -> 'dependencies' as dependencies,
  r.data ->> 'instanceId' as instance_id,
  r.data -> 'ttlSeconds' as ttl_seconds,
  r.data -> 'migrationFile' as migration_file,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as registered_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'service';

create or replace view @schema@.graph_nodes with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'id' as node_id,
  r.data ->> 'label' as label,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'node';

create or replace view @schema@.graph_edges with (security_invoker = true) as
select
  r.id as record_id,
  r.data ->> 'source' as source,
  r.data ->> 'type' as type,
  r.data ->> 'target' as target,
  r.data ->> 'origin' as origin,
  r.data -> 'properties' as properties,
  r.revision,
  to_timestamp(r.created_at / 1000.0) as created_at,
  to_timestamp(r.updated_at / 1000.0) as updated_at
from @schema@.records r
where r.kind = 'edge';

revoke all on @schema@.services, @schema@.graph_nodes, @schema@.graph_edges from public;
