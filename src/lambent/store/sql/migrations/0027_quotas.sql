-- What part of a limit that nodes share each of them has. Goes with the membership that it names.
CREATE TABLE quotas (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    amount INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    PRIMARY KEY (name, holder)
) STRICT;

CREATE INDEX quotas_by_holder ON quotas (holder);
