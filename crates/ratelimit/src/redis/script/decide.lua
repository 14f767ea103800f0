
-- Asks every policy, and writes nothing. Its argument: the algorithm's letter, '1' when it only watches, then cost,
-- capacity, and span in microseconds as little-endian integers.
local policies, admitted = {}, 1
-- An enforced log that knows the nonce is proof that the request was admitted, by all of them.
local proof
for index = 1, #KEYS do
  local algorithm, watches, cost, capacity, span = struct.unpack('<c1c1I4I4I8', ARGV[index + 2])
  local p = {
    key = KEYS[index],
    algorithm = algorithm,
    cost = cost,
    capacity = capacity,
    span = span,
    used = 0,
    gone = 0,
    next_free = 0,
    newest = false,
    wait = 0,
  }
  read[algorithm](p)
  if watches ~= '1' then
    if p.wait ~= 0 then admitted = 0 end
    if not proof and algorithm == 'l' and cost > 0 then proof = p end
  end
  policies[index] = p
end

-- Whole numbers only: version, verdict, time, then for each key used, next free, newest free, wait.
local function answer(verdict)
  local reply = { 1, verdict, now }
  for index = 1, #policies do
    local p, at = policies[index], index * 4
    reply[at] = p.used
    reply[at + 1] = p.next_free
    reply[at + 2] = p.newest or newest[p.algorithm](p)
    reply[at + 3] = p.wait
  end
  return reply
end
