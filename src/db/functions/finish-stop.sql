-- Goes on with a stop that was kept and whose caller is gone; null: somebody closed it meanwhile, or enabling ended it.
CREATE FUNCTION finish_stop(p_intent bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  i stop_intent;
BEGIN
  PERFORM pg_advisory_xact_lock(gate_key());
  SELECT * INTO i FROM stop_intent WHERE id = p_intent AND closed_at IS NULL;
  IF NOT FOUND THEN RETURN NULL; END IF;
  RETURN disable_switch(i.scope, i.reads, i.reason, i.actor, i.at, i.id);
END $$;
