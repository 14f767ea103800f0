-- What every script that decides begins with.
--
-- KEYS     one for each policy, all in one slot
-- ARGV[1]  a nonce of 8 bytes, this request's own
-- ARGV[2]  '1' when an earlier try of the same request may have been admitted
-- ARGV     then one for each key: see `decide.lua`
--
-- A script is put together from the algorithms that a plan needs: defining the others takes longer than asking them.
-- Likewise, no function is made for each policy, and a policy's table has all its fields from the beginning.
--
-- Times are whole microseconds since 1970, which a double holds exactly until 2255. They are never joined with `..`,
-- which would keep 14 digits of them. TIME is read once: it goes on while a script runs.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local nonce = ARGV[1]

local NEVER = -1

-- For each algorithm, by its letter: tells how a policy stands (`used`, `next_free`, `wait`), and when its newest unit
-- is free.
local read, newest = {}, {}

-- Microseconds until the cost fits, 0 when it does. `free(p, units)` tells when so many of the oldest units are free.
local function wait_for(p, free)
  local over = p.used + p.cost - p.capacity
  if over <= 0 or p.cost == 0 then return 0 end
  if p.cost > p.capacity then return NEVER end
  return free(p, over)
end
