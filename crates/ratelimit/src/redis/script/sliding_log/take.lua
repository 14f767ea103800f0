
take.l = function(p)
  local fresh = p.used == 0
  local added
  if p.gone > 0 then
    if fresh then
      call('UNLINK', p.key)
    else
      call('ZREMRANGEBYRANK', p.key, 0, math.min(p.gone, TRIM + p.cost) - 1)
    end
  end
  if p.cost == 1 then
    added = call('ZADD', p.key, 'NX', now, nonce)
  else
    local members = { now, nonce }
    for unit = 2, p.cost do
      members[#members + 1] = now
      members[#members + 1] = nonce .. unit
    end
    added = call('ZADD', p.key, 'NX', unpack(members))
  end
  -- Two windows from the last time that something left: by then, what was added since has left or renewed it.
  if fresh or p.gone > 0 then call('PEXPIREAT', p.key, math.ceil((now + 2 * p.span) / 1000)) end
  if added == 0 then return false end
  p.used = p.used + p.cost
  if fresh then p.next_free = p.span end
  p.newest = p.span
  return true
end
