-- Marks chunks that nothing refers to, slice by slice, at one version of the thread.
-- From the last slice on no put can claim them any more, and they may be dropped.

local data, index, chunks, doomed, lock = unpack(KEYS)
local version, token, hold, first, last, epoch = unpack(ARGV, 1, 6)

if redis.call('HGET', data, 'v') ~= version then
  return 0
end
local state = redis.call('HGET', data, 'g')
if first == '1' and state == 'dropping' or first == '0' and state ~= token then
  return 0
end
-- A full server allows this, and then what follows: retention is what empties it.
redis.call('HDEL', data, 'g')
if first == '1' then
  redis.call('DEL', doomed)
end
for i = 7, #ARGV do
  redis.call('SADD', doomed, ARGV[i])
end
if last == '1' then
  redis.call('HSET', data, 'g', 'dropping')
  redis.call('HSET', chunks, 'e', epoch)
else
  redis.call('HSET', data, 'g', token)
end
if string.sub(redis.call('GET', lock) or '', 2) == token then
  redis.call('PEXPIRE', lock, hold)
end
renew('0')
return 1
