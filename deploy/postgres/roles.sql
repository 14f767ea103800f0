-- Roles and the database, made once: when PostgreSQL starts on an empty volume. Run as the superuser, by psql.
--
-- stock_owner owns the tables, and only `stock-tracker migrate` and restoring use it. stock_app is what the service
-- runs as: it owns nothing, so row-level security binds it. stock_exporter reads statistics and no row of a tenant.

\getenv owner_password STOCK_OWNER_PASSWORD
\getenv app_password STOCK_APP_PASSWORD
\getenv exporter_password STOCK_EXPORTER_PASSWORD

-- A statement that fails is written to the log as it stands, with the password in it.
SET log_min_error_statement = panic;

CREATE ROLE stock_owner LOGIN PASSWORD :'owner_password'
    NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE stock_app LOGIN PASSWORD :'app_password'
    NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
CREATE ROLE stock_exporter LOGIN PASSWORD :'exporter_password'
    NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 5;
GRANT pg_monitor TO stock_exporter;

CREATE DATABASE stock OWNER stock_owner;
REVOKE ALL ON DATABASE stock FROM PUBLIC;
GRANT CONNECT ON DATABASE stock TO stock_app, stock_exporter;
