
-- A string: room, start and length of a ring and its newest time, then the times in it, as whole milliseconds modulo
-- 2^32, rounded up.
local HEADER, ENTRY, FIRST = '<I4I4I4I4', '<I4', 16
local CYCLE, HALF = 4294967296, 2147483648

do
  -- How far a time lies after the cutoff, 0 when it does not.
  local function after(p, time)
    local far = (time - p.cutoff) % CYCLE
    return far < HALF and far or 0
  end

  local function distance(p, index)
    local at = FIRST + (p.start + index) % p.room * 4
    return after(p, (struct.unpack(ENTRY, call('GETRANGE', p.key, at, at + 3))))
  end

  local function until_free(p, far) return (p.cutoff + far) * 1000 + p.span - now end

  local function free(p, units)
    return math.min(until_free(p, distance(p, p.gone + units - 1)), p.span + 1000)
  end

  read.c = function(p)
    local head = call('GETRANGE', p.key, 0, FIRST - 1)
    p.room, p.start, p.cutoff, p.newest_after = p.capacity, 0, math.floor((now - p.span) / 1000), 0
    if #head == FIRST then
      local length, last
      p.room, p.start, length, last = struct.unpack(HEADER, head)
      if length > 0 then
        p.newest_after = after(p, last)
        if p.newest_after == 0 then
          p.gone = length
        else
          local oldest = distance(p, 0)
          if oldest == 0 then
            -- Mostly few are out of the window: search in growing steps, then between the last two.
            local out, live, step = 0, length - 1, 1
            while out + step < live do
              if distance(p, out + step) > 0 then
                live = out + step
              else
                out = out + step
                step = step * 2
              end
            end
            while live - out > 1 do
              local middle = math.floor((out + live) / 2)
              if distance(p, middle) > 0 then live = middle else out = middle end
            end
            p.gone, oldest = live, distance(p, live)
          end
          p.used = length - p.gone
          p.next_free = until_free(p, oldest)
        end
      end
    end
    p.wait = wait_for(p, free)
  end

  newest.c = function(p) return p.used > 0 and until_free(p, p.newest_after) or 0 end
end
