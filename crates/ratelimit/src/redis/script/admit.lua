
-- Counts the request under every policy, or under none. A refusal writes nothing, not even what could be cleared.
if proof and ARGV[2] == '1' and call('ZSCORE', proof.key, nonce) then return answer(2) end

if admitted == 1 then
  -- The proof first: a try that comes after a later one of the same request finds it there, and counts nothing.
  if proof and not take.l(proof) then return answer(2) end
  for index = 1, #policies do
    local p = policies[index]
    if p ~= proof and p.cost > 0 and p.wait == 0 then take[p.algorithm](p) end
  end
end
return answer(admitted)
