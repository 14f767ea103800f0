
-- Rings of up to so many times are copied once around, so that they take no more memory than they need.
local EXACT = 16384

take.c = function(p)
  local milli = math.ceil(now / 1000)
  if p.used > 0 then milli = math.max(milli, p.cutoff + p.newest_after) end
  local time = milli % CYCLE
  local entries = string.rep(struct.pack(ENTRY, time), p.cost)
  -- Two windows, as those of a sorted set, each longer by the rounding.
  local expiry = math.ceil((now + 2 * p.span) / 1000) + 2
  local start = (p.start + p.gone) % p.room
  if p.used == 0 then
    call('SET', p.key, struct.pack(HEADER, p.capacity, 0, p.cost, time) .. entries, 'PXAT', expiry)
  elseif p.capacity > p.room then
    -- The limit was raised: lay the ring out anew.
    local ahead = math.min(p.used, p.room - start)
    local live = call('GETRANGE', p.key, FIRST + start * 4, FIRST + (start + ahead) * 4 - 1)
    if ahead < p.used then live = live .. call('GETRANGE', p.key, FIRST, FIRST + (p.used - ahead) * 4 - 1) end
    local head = struct.pack(HEADER, p.capacity, 0, p.used + p.cost, time)
    call('SET', p.key, head .. live .. entries, 'PXAT', expiry)
  else
    local tail = (start + p.used) % p.room
    local ahead = math.min(p.cost, p.room - tail)
    call('SETRANGE', p.key, FIRST + tail * 4, string.sub(entries, 1, ahead * 4))
    if ahead < p.cost then call('SETRANGE', p.key, FIRST, string.sub(entries, ahead * 4 + 1)) end
    call('SETRANGE', p.key, 0, struct.pack(HEADER, p.room, start, p.used + p.cost, time))
    if tail + p.cost >= p.room and p.room <= EXACT then
      -- Its last place was written. A string that grows by SETRANGE takes up to twice its length.
      call('SET', p.key, call('GETRANGE', p.key, 0, -1), 'PXAT', expiry)
    elseif p.gone > 0 then
      call('PEXPIREAT', p.key, expiry)
    end
  end
  local free = milli * 1000 + p.span - now
  if p.used == 0 then p.next_free = free end
  p.used = p.used + p.cost
  p.newest = free
end
