-- A moment of the caller's own, not before p_now and at least p_gap_ms after the one taken last; in the order of asking.
CREATE FUNCTION reserve_post(p_channel text, p_now timestamptz, p_gap_ms int) RETURNS timestamptz LANGUAGE sql AS $$
  INSERT INTO post_slot AS s (channel, next_at)
  VALUES (p_channel, p_now + p_gap_ms * interval '1 millisecond')
  ON CONFLICT (channel) DO UPDATE SET next_at = greatest(s.next_at, p_now) + p_gap_ms * interval '1 millisecond'
  RETURNING next_at - p_gap_ms * interval '1 millisecond'
$$;
