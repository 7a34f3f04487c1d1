"""domain_event is append-only: a trigger refuses UPDATE, DELETE and TRUNCATE, except the numbering of a row, once.

An insert also notifies the channel `domain_event`, on which `manage.py relay` listens.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION domain_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.sequence IS NULL AND NEW.sequence IS NOT NULL THEN
        OLD.sequence := NEW.sequence;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'domain_event is append-only: % refused', TG_OP USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER domain_event_no_change BEFORE UPDATE OR DELETE ON domain_event
    FOR EACH ROW EXECUTE FUNCTION domain_event_append_only();
CREATE TRIGGER domain_event_no_truncate BEFORE TRUNCATE ON domain_event
    FOR EACH STATEMENT EXECUTE FUNCTION domain_event_append_only();

CREATE FUNCTION domain_event_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('domain_event', '');
    RETURN NULL;
END $$;

CREATE TRIGGER domain_event_recorded AFTER INSERT ON domain_event
    FOR EACH STATEMENT EXECUTE FUNCTION domain_event_notify();

CREATE SEQUENCE order_number START 100001;
"""

DROP = """
DROP SEQUENCE order_number;
DROP TRIGGER domain_event_recorded ON domain_event;
DROP TRIGGER domain_event_no_truncate ON domain_event;
DROP TRIGGER domain_event_no_change ON domain_event;
DROP FUNCTION domain_event_notify();
DROP FUNCTION domain_event_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("commands", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
