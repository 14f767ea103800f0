-- Gives an admission back, as if it had not been, wherever it can be told from others.
--
-- KEYS     those that the admission was counted under, all in one slot
-- ARGV[1]  its nonce
-- ARGV     then four for each key: algorithm, span in microseconds, cost, when its newest unit stops counting
--
-- Returns under how many keys that was possible.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000000 + clock[2]
local nonce = ARGV[1]
local HEADER, ENTRY, FIRST = '<I4I4I4I4', '<I4', 16

local give_back = {}

give_back['l'] = function(key, span, cost)
  local members = { nonce }
  for unit = 2, cost do members[unit] = nonce .. unit end
  local removed = call('ZREM', key, unpack(members))
  -- The member that the key's expiry was counted from may be gone: count from now, but never let it go sooner, since
  -- the clock may have gone back.
  if removed > 0 then call('PEXPIREAT', key, math.ceil((now + 2 * span) / 1000), 'GT') end
  return removed > 0
end

give_back['c'] = function(key, span, cost, free)
  local head = call('GETRANGE', key, 0, FIRST - 1)
  if #head < FIRST then return false end
  local room, start, length, newest = struct.unpack(HEADER, head)
  local function time(index)
    local at = FIRST + (start + index) % room * 4
    return (struct.unpack(ENTRY, call('GETRANGE', key, at, at + 3)))
  end
  if length < cost or newest ~= math.floor((free - span) / 1000) % 4294967296 then return false end
  -- The times are sorted: when its first is of that moment too, all between them are.
  if time(length - cost) ~= newest then return false end
  length = length - cost
  if length > 0 then newest = time(length - 1) end
  call('SETRANGE', key, 0, struct.pack(HEADER, room, start, length, newest))
  call('PEXPIREAT', key, math.ceil((now + 2 * span) / 1000) + 2, 'GT')
  return true
end

give_back['g'] = function(key, span, cost, free)
  -- After a later admission nobody knows whether the bucket would have overflowed in between.
  if call('GET', key) ~= string.format('%.0f:%.0f', free, span) then return false end
  local worked_off = free - cost * span
  if worked_off > now then
    call('SET', key, string.format('%.0f:%.0f', worked_off, span), 'PXAT', math.ceil(worked_off / 1000))
  else
    call('UNLINK', key)
  end
  return true
end

give_back['f'] = function(key, span, cost, free)
  local began, count = string.match(call('GET', key) or '', '^(%d+):(%d+)$')
  began, count = tonumber(began), tonumber(count)
  if not began or began + span ~= free or count < cost then return false end
  call('SET', key, string.format('%.0f:%.0f', began, count - cost), 'KEEPTTL')
  return true
end

local given = 0
for index, key in ipairs(KEYS) do
  local at = 1 + (index - 1) * 4
  local span, cost, free = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  if give_back[ARGV[at + 1]](key, span, cost, free) then given = given + 1 end
end
return given
