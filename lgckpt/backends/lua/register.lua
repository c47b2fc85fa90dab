-- Adds entries to a registry shard, noting when.

local entries, recent = KEYS[1], KEYS[2]
local keep = tonumber(ARGV[1])
local now = tonumber(redis.call('TIME')[1])
for i = 2, #ARGV, 2 do
  redis.call('ZADD', entries, ARGV[i], ARGV[i + 1])
  redis.call('ZADD', recent, now, ARGV[i + 1])
end
redis.call('ZREMRANGEBYSCORE', recent, '-inf', '(' .. string.format('%.0f', now - keep))
return 1
