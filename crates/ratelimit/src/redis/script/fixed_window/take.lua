
take.f = function(p)
  local free = p.began + p.span - now
  p.used = p.used + p.cost
  call('SET', p.key, string.format('%.0f:%.0f', p.began, p.used), 'PXAT', math.ceil((now + free) / 1000))
  p.next_free = free
  p.newest = free
end
