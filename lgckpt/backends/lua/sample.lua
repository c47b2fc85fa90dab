-- Some entries of a registry shard, from anywhere in it on, around its end.

local entries = KEYS[1]
local count = redis.call('ZCARD', entries)
if count == 0 then
  return {}
end
local wanted = math.min(tonumber(ARGV[2]), count)
local first = math.floor(tonumber(ARGV[1]) * count)
local found = redis.call('ZRANGE', entries, first, first + wanted - 1)
if #found < wanted then
  for _, entry in ipairs(redis.call('ZRANGE', entries, 0, wanted - #found - 1)) do
    found[#found + 1] = entry
  end
end
return found
