-- Who may do what in ACME's database. The owner (who runs this, and the migrations) has the tables; command hosts,
-- relay and Celery change rows and never the schema; projectors read the log, the keys of data subjects and the state.
CREATE ROLE acme_command LOGIN PASSWORD :'command_password';
CREATE ROLE acme_projector LOGIN PASSWORD :'projector_password';

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO acme_command, acme_projector;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO acme_command;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO acme_command;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO acme_projector;
