-- Reads how every policy stands, and writes nothing.
--
-- KEYS     one for each policy, all in one slot
-- ARGV[1]  a nonce of 8 bytes, this request's own
-- ARGV[2]  '1' when an earlier try of the same request may have been admitted
-- ARGV     then five for each key: algorithm, capacity, span in microseconds, cost, '1' when it only watches
--
-- Times are whole microseconds since 1970, which a double holds exactly until 2255. They are never joined with `..`,
-- which would keep 14 digits of them. TIME is read once: it goes on while a script runs.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local nonce = ARGV[1]

local LOG, COMPACT, GCRA, FIXED = 'l', 'c', 'g', 'f'
local NEVER = -1

-- Microseconds until `cost` fits, 0 when it does. `free` tells when so many of the oldest units are free.
local function wait_for(p, free)
  if p.cost == 0 or p.used + p.cost <= p.capacity then return 0 end
  if p.cost > p.capacity then return NEVER end
  return free(p.used + p.cost - p.capacity)
end

local read = {}

-- A sorted set: one member for each unit, scored by its time. `gone` counts those that are out of the window,
-- (now - span, now], and still there.
read[LOG] = function(p)
  local function until_free(index)
    local score = call('ZRANGE', p.key, index, index, 'WITHSCORES')[2]
    return score and score + p.span - now
  end
  p.gone, p.used, p.next_free = 0, 0, 0
  local oldest = until_free(0)
  if oldest then
    p.used = call('ZCARD', p.key)
    if oldest <= 0 then
      p.gone = call('ZCOUNT', p.key, '-inf', now - p.span)
      p.used = p.used - p.gone
      oldest = p.used > 0 and until_free(p.gone) or 0
    end
    p.next_free = oldest
  end
  p.wait = wait_for(p, function(units)
    return math.min(units == 1 and p.next_free or until_free(p.gone + units - 1), p.span)
  end)
  p.newest = function() return p.used > 0 and until_free(-1) or 0 end
end

-- A string: room, start and length of a ring, then the times in it, as whole milliseconds modulo 2^32, rounded up.
local HEADER, ENTRY = '<I4I4I4', '<I4'
local CYCLE, HALF = 4294967296, 2147483648

read[COMPACT] = function(p)
  local head = call('GETRANGE', p.key, 0, 11)
  local room, start, length = p.capacity, 0, 0
  if #head == 12 then room, start, length = struct.unpack(HEADER, head) end
  local cutoff = math.floor((now - p.span) / 1000)
  -- How far the entry lies after the cutoff, 0 when it does not.
  local function distance(index)
    local at = 12 + (start + index) % room * 4
    local far = (struct.unpack(ENTRY, call('GETRANGE', p.key, at, at + 3)) - cutoff) % CYCLE
    return far < HALF and far or 0
  end
  local function until_free(far) return (cutoff + far) * 1000 + p.span - now end
  local oldest, newest = 0, 0
  p.gone = 0
  if length > 0 then
    newest = distance(length - 1)
    if newest == 0 then
      p.gone = length
    else
      oldest = distance(0)
      if oldest == 0 then
        -- Mostly few are out of the window: search in growing steps, then between the last two.
        local out, live, step = 0, length - 1, 1
        while out + step < live do
          if distance(out + step) > 0 then live = out + step else out = out + step; step = step * 2 end
        end
        while live - out > 1 do
          local middle = math.floor((out + live) / 2)
          if distance(middle) > 0 then live = middle else out = middle end
        end
        p.gone, oldest = live, distance(live)
      end
    end
  end
  p.room, p.start, p.used = room, start, length - p.gone
  p.next_free = p.used > 0 and until_free(oldest) or 0
  p.newest = function() return p.used > 0 and until_free(newest) or 0 end
  p.newest_milli = p.used > 0 and cutoff + newest or 0
  p.wait = wait_for(p, function(units)
    return math.min(until_free(distance(p.gone + units - 1)), p.span + 1000)
  end)
end

-- Two numbers: when everything admitted is worked off, at one unit for each span, and that span.
read[GCRA] = function(p)
  local worked_off, unit = string.match(call('GET', p.key) or '', '^(%d+):(%d+)$')
  p.debt, p.unit = math.max((tonumber(worked_off) or now) - now, 0), p.span
  if p.debt > 0 then p.unit = tonumber(unit) end
  local used = math.ceil(p.debt / p.unit)
  p.used = math.min(used, 4294967295)
  p.next_free = used > 0 and p.debt - (used - 1) * p.unit or 0
  if p.cost == 0 then
    p.wait = 0
  elseif p.cost > p.capacity then
    p.wait = NEVER
  else
    p.wait = math.max(p.debt + p.cost * p.unit - p.capacity * p.unit, 0)
  end
  p.newest = function() return p.debt end
end

-- Two numbers: when the window began, and what was counted in it.
read[FIXED] = function(p)
  local began, count = string.match(call('GET', p.key) or '', '^(%d+):(%d+)$')
  p.began, p.used = tonumber(began) or now, tonumber(count) or 0
  if p.used == 0 or p.began + p.span <= now then p.began, p.used = now, 0 end
  p.next_free = p.used > 0 and p.began + p.span - now or 0
  p.wait = wait_for(p, function() return math.min(p.next_free, p.span) end)
  p.newest = function() return p.next_free end
end

local policies, admitted = {}, 1
for index, key in ipairs(KEYS) do
  local at = 2 + (index - 1) * 5
  local p = {
    key = key,
    algorithm = ARGV[at + 1],
    capacity = tonumber(ARGV[at + 2]),
    span = tonumber(ARGV[at + 3]),
    cost = tonumber(ARGV[at + 4]),
    watches = ARGV[at + 5] == '1',
  }
  read[p.algorithm](p)
  if p.wait ~= 0 and not p.watches then admitted = 0 end
  policies[index] = p
end

-- Whole numbers only: version, verdict, time, then for each key used, next free, newest free, wait.
local function answer(verdict)
  local reply = { 1, verdict, now }
  for _, p in ipairs(policies) do
    reply[#reply + 1] = p.used
    reply[#reply + 1] = p.next_free
    reply[#reply + 1] = p.newest()
    reply[#reply + 1] = p.wait
  end
  return reply
end
