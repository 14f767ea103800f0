
-- Two numbers: when the window began, and what was counted in it.
do
  local function free(p) return math.min(p.next_free, p.span) end

  read.f = function(p)
    local began, count = string.match(call('GET', p.key) or '', '^(%d+):(%d+)$')
    p.began, p.used = tonumber(began) or now, tonumber(count) or 0
    if p.used == 0 or p.began + p.span <= now then
      p.began, p.used = now, 0
    else
      p.next_free = p.began + p.span - now
    end
    p.wait = wait_for(p, free)
  end

  newest.f = function(p) return p.next_free end
end
