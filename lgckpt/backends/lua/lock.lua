-- Takes, turns or gives back a thread's lock: 's' keeps other edits out, 'x' puts as well.
-- Gives 1 if the caller has it.

local lock = KEYS[5]
local kind, token, hold = ARGV[1], ARGV[2], ARGV[3]
local owner = redis.call('GET', lock)

if owner and string.sub(owner, 2) ~= token then
  return 0
end
redis.call('DEL', lock) -- a full server allows it, and then the next
if kind ~= '' then
  redis.call('SET', lock, kind .. token, 'PX', hold)
end
return 1
