
-- Counts the request under every policy, or under none. What was read is still true: a script runs alone.
-- A refusal writes nothing, not even what could be cleared.

-- At most so many members that are out of their window are removed at once from each log, and as many as are added:
-- a script holds up everybody else.
local TRIM = math.floor(512 / #KEYS)

-- Expiries are moments, not durations: these would count from when the script began, which may be before `now`.
local take = {}

take[LOG] = function(p)
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
  p.newest = function() return p.span end
  return true
end

take[COMPACT] = function(p)
  local milli = math.max(math.ceil(now / 1000), p.newest_milli)
  local entry = struct.pack(ENTRY, milli % CYCLE)
  -- Two windows, as above, each longer by the rounding.
  local expiry = math.ceil((now + 2 * p.span) / 1000) + 2
  local entries = string.rep(entry, p.cost)
  local start = (p.start + p.gone) % p.room
  if p.used == 0 then
    call('SET', p.key, struct.pack(HEADER, p.capacity, 0, p.cost) .. entries, 'PXAT', expiry)
  elseif p.capacity > p.room then
    -- The limit was raised: lay the ring out anew.
    local ahead = math.min(p.used, p.room - start)
    local live = call('GETRANGE', p.key, 12 + start * 4, 12 + (start + ahead) * 4 - 1)
    if ahead < p.used then live = live .. call('GETRANGE', p.key, 12, 12 + (p.used - ahead) * 4 - 1) end
    call('SET', p.key, struct.pack(HEADER, p.capacity, 0, p.used + p.cost) .. live .. entries, 'PXAT', expiry)
  else
    local tail = (start + p.used) % p.room
    local ahead = math.min(p.cost, p.room - tail)
    call('SETRANGE', p.key, 12 + tail * 4, string.sub(entries, 1, ahead * 4))
    if ahead < p.cost then call('SETRANGE', p.key, 12, string.sub(entries, ahead * 4 + 1)) end
    call('SETRANGE', p.key, 0, struct.pack(HEADER, p.room, start, p.used + p.cost))
    if p.gone > 0 then call('PEXPIREAT', p.key, expiry) end
  end
  local free = milli * 1000 + p.span - now
  if p.used == 0 then p.next_free = free end
  p.used = p.used + p.cost
  p.newest = function() return free end
end

take[GCRA] = function(p)
  -- Another span than before: the debt stays the same number of units.
  if p.unit ~= p.span then p.debt = math.ceil(p.debt / p.unit * p.span) end
  p.debt = p.debt + p.cost * p.span
  local worked_off = now + p.debt
  call('SET', p.key, string.format('%.0f:%.0f', worked_off, p.span), 'PXAT', math.ceil(worked_off / 1000))
  local units = math.ceil(p.debt / p.span)
  p.used = math.min(units, 4294967295)
  p.next_free = p.debt - (units - 1) * p.span
end

take[FIXED] = function(p)
  local free = p.began + p.span - now
  p.used = p.used + p.cost
  call('SET', p.key, string.format('%.0f:%.0f', p.began, p.used), 'PXAT', math.ceil((now + free) / 1000))
  p.next_free = free
  p.newest = function() return free end
end

-- An enforced log that knows the nonce is proof that the request was admitted, by all of them.
local proof
for _, p in ipairs(policies) do
  if p.algorithm == LOG and p.cost > 0 and not p.watches then
    proof = p
    break
  end
end
if proof and ARGV[2] == '1' and call('ZSCORE', proof.key, nonce) then return answer(2) end

if admitted == 1 then
  -- The proof first: a try that comes after a later one of the same request finds it there, and counts nothing.
  if proof and not take[LOG](proof) then return answer(2) end
  for _, p in ipairs(policies) do
    if p ~= proof and p.cost > 0 and p.wait == 0 then take[p.algorithm](p) end
  end
end
return answer(admitted)
