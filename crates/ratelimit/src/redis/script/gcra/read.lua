
-- Two numbers: when everything admitted is worked off, at one unit for each span, and that span.
read.g = function(p)
  local worked_off, unit = string.match(call('GET', p.key) or '', '^(%d+):(%d+)$')
  p.debt, p.unit = math.max((tonumber(worked_off) or now) - now, 0), p.span
  if p.debt > 0 then
    p.unit = tonumber(unit)
    local used = math.ceil(p.debt / p.unit)
    p.used = math.min(used, 4294967295)
    p.next_free = p.debt - (used - 1) * p.unit
  end
  if p.cost > p.capacity then
    p.wait = NEVER
  elseif p.cost > 0 then
    p.wait = math.max(p.debt + p.cost * p.unit - p.capacity * p.unit, 0)
  end
end

newest.g = function(p) return p.debt end
