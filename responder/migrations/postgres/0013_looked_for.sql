-- The audit is looked through by who did what to what, and a unit's page shows the notices to it.

CREATE INDEX audit_by_account ON audit (account, number);
CREATE INDEX audit_by_action ON audit (action, number);
CREATE INDEX audit_by_subject ON audit (subject, number);
CREATE INDEX notices_by_unit ON notices (region, unit, number);
