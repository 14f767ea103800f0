
take.g = function(p)
  -- Another span than before: the debt stays the same number of units.
  if p.unit ~= p.span then p.debt = math.ceil(p.debt / p.unit * p.span) end
  p.debt = p.debt + p.cost * p.span
  local worked_off = now + p.debt
  call('SET', p.key, string.format('%.0f:%.0f', worked_off, p.span), 'PXAT', math.ceil(worked_off / 1000))
  local units = math.ceil(p.debt / p.span)
  p.used = math.min(units, 4294967295)
  p.next_free = p.debt - (units - 1) * p.span
end
