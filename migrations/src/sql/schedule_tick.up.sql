-- When somebody last looked at the schedule, whichever process it was: one row. It tells whether anybody does.
CREATE TABLE schedule_tick (
    name      TEXT        NOT NULL PRIMARY KEY,
    ticked_at TIMESTAMPTZ NOT NULL
);
