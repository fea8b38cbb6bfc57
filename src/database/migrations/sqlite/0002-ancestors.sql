-- oldest writer: 2
-- Services have namespaces from here on: a program that does not know them would store a service of one system as that of another.

-- JSON: the lineages that the present one descends from, the oldest first, at most 32.
alter table head add column ancestors text not null default '[]';
