-- Some entries of a registry shard, from anywhere in it.

local entries = KEYS[1]
local count = redis.call('ZCARD', entries)
if count == 0 then
  return {}
end
local first = math.floor(tonumber(ARGV[1]) * count)
return redis.call('ZRANGE', entries, first, first + tonumber(ARGV[2]) - 1)
