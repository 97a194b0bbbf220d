-- An event store in PostgreSQL as Marten lays it out: a streams table that carries the version, an events table that is
-- unique by (stream, version), and one function that appends. Left out because they would only slow PostgreSQL down: the
-- foreign key from events to streams, a unique index on event ids, tenants.

CREATE TABLE streams (
    id      uuid PRIMARY KEY,
    kind    text NOT NULL,
    version bigint NOT NULL,
    created timestamptz NOT NULL DEFAULT now(),
    changed timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80); -- room for updates in place: the version of a stream changes with every append

CREATE TABLE events (
    seq         bigserial PRIMARY KEY,
    id          uuid NOT NULL,
    stream_id   uuid NOT NULL,
    version     bigint NOT NULL,
    kind        text NOT NULL,
    data        jsonb NOT NULL,
    meta        jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (stream_id, version)
);

-- Appends at the end of a stream whose last version is `expected` (0: there is no such stream yet) and answers the new
-- last version. Anything else raises a unique_violation, as the index would.
CREATE FUNCTION append(stream uuid, expected bigint, ids uuid[], kinds text[], datas jsonb[], metas jsonb[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    last bigint := expected + cardinality(ids);
BEGIN
    IF expected = 0 THEN
        INSERT INTO streams (id, kind, version) VALUES (stream, 'ticket', last);
    ELSE
        UPDATE streams SET version = last, changed = now() WHERE id = stream AND version = expected;
        IF NOT FOUND THEN
            RAISE unique_violation USING MESSAGE = format('stream %s is not at version %s', stream, expected);
        END IF;
    END IF;
    INSERT INTO events (id, stream_id, version, kind, data, meta)
    SELECT e.id, stream, expected + e.place, e.kind, e.data, e.meta
    FROM unnest(ids, kinds, datas, metas) WITH ORDINALITY AS e(id, kind, data, meta, place)
    ORDER BY e.place;
    RETURN last;
END $$;
