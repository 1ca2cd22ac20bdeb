-- The functions and triggers that stand in the store, as their files said them when they were put there.
CREATE TABLE stored_code (
  -- As DROP calls it.
  identity text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('FUNCTION', 'TRIGGER')),
  -- What cannot be replaced in place: arguments, result, settings.
  head text NOT NULL,
  digest text NOT NULL
);
---
-- Until now they were part of the migrations: what those left behind makes room for the files.
INSERT INTO stored_code (identity, kind, head, digest)
SELECT f, 'FUNCTION', '', '' FROM unnest(ARRAY[
  'action_to_decide(uuid,text,text,text,integer)',
  'actions_in_flight(text,text,text,text)',
  'approvers_stand(uuid,integer,boolean,timestamptz)',
  'ask_actions(jsonb,timestamptz)',
  'begin_action(uuid,text,text,timestamptz,text,integer,integer)',
  'credentials_until(jsonb)',
  'disable_switch(text,boolean,text,text,timestamptz)',
  'enable_switch(text,text,text,timestamptz)',
  'end_autonomy_with_incident()',
  'end_standing_approvals(text,text,text,text,timestamptz,text)',
  'end_standing_with_incident()',
  'end_standing_with_phase()',
  'end_standing_with_release()',
  'end_standing_with_rollback()',
  'end_standing_with_switch()',
  'gate_key()',
  'iso(timestamptz)',
  'jcs(jsonb)',
  'know_event(action,text,double precision,timestamptz)',
  'log_append(text,text,text,timestamptz,text,jsonb)',
  'move_action(uuid,text,integer,text,text,timestamptz,text,jsonb)',
  'queue_judgement(text,text,timestamptz)',
  'raise_alert(text,text,timestamptz,jsonb)',
  'raise_epoch()',
  'record_answer(jsonb,jsonb,jsonb,jsonb)',
  'refuse_change()',
  'reserve_limits(action,timestamptz)',
  'reserve_post(text,timestamptz,integer)',
  'rollback_segment(text,text,integer,timestamptz,text,text,jsonb)',
  'sequence_log(integer)',
  'standing_of(action)',
  'standing_of(action,timestamptz)',
  'start_event(action,text)',
  'store_credential(uuid,uuid,text,timestamptz,timestamptz)',
  'switched_off(text,text,text)',
  'use_standing_approval(uuid,timestamptz)',
  'void_actions(text,text,text,text,text,text[],text,text,timestamptz,text)',
  'without_summaries(jsonb)'
]) AS f
-- A store that starts with this version has none of them; what is called alike there is somebody else's.
WHERE to_regprocedure(f) IS NOT NULL
  AND EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = 'log_entry'::regclass AND t.tgname = 'log_entry_append_only');
---
INSERT INTO stored_code (identity, kind, head, digest)
SELECT t.tgname || ' ON ' || t.tgrelid::regclass, 'TRIGGER', '', '' FROM pg_trigger t
WHERE t.tgfoid IN (SELECT identity::regprocedure FROM stored_code) AND NOT t.tgisinternal;
