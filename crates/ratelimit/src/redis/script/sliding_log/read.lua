
-- A sorted set: one member for each unit, scored by its time. `gone` counts those that are out of the window,
-- (now - span, now], and still there.
do
  local function until_free(p, index)
    local score = call('ZRANGE', p.key, index, index, 'WITHSCORES')[2]
    return score and score + p.span - now
  end

  local function free(p, units)
    return math.min(units == 1 and p.next_free or until_free(p, p.gone + units - 1), p.span)
  end

  read.l = function(p)
    local oldest = until_free(p, '0')
    if oldest then
      p.used = call('ZCARD', p.key)
      if oldest <= 0 then
        p.gone = call('ZCOUNT', p.key, '-inf', now - p.span)
        p.used = p.used - p.gone
        oldest = p.used > 0 and until_free(p, p.gone) or 0
      end
      p.next_free = oldest
    end
    p.wait = wait_for(p, free)
  end

  newest.l = function(p) return p.used > 0 and until_free(p, '-1') or 0 end
end
