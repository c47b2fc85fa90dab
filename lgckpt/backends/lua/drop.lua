-- Drops a slice of the chunks that were marked; gives how many may be left.

local data, chunks, doomed = KEYS[1], KEYS[3], KEYS[4]

if redis.call('HGET', data, 'g') ~= 'dropping' then
  return 0
end
local some = redis.call('SPOP', doomed, ARGV[1])
for i = 1, #some do
  redis.call('HDEL', chunks, some[i])
end
local left = redis.call('SCARD', doomed)
if left == 0 then
  redis.call('HDEL', data, 'g')
  if redis.call('HLEN', chunks) == 1 and redis.call('HEXISTS', chunks, 'e') == 1 then
    redis.call('DEL', chunks)
  end
end
return left
