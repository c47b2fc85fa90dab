-- Removes entries of a registry shard, but for those that were made a short while ago:
-- what they stand for may be about to be stored.

local entries, recent = KEYS[1], KEYS[2]
local keep = tonumber(ARGV[1])
local now = tonumber(redis.call('TIME')[1])
for i = 2, #ARGV do
  local made = redis.call('ZSCORE', recent, ARGV[i])
  if not made or tonumber(made) < now - keep then
    redis.call('ZREM', entries, ARGV[i])
    redis.call('ZREM', recent, ARGV[i])
  end
end
return 1
