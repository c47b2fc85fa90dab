-- Changes fields and members of a thread that is still at the version it was read at.
-- Gives its new version, or nothing if it has moved on.

local data, index, lock = KEYS[1], KEYS[2], KEYS[5]
local version, token, hold = ARGV[1], ARGV[2], ARGV[3]
local at = 3

if redis.call('HGET', data, 'v') ~= version then
  return false
end

-- A full server allows this, and then what follows: retention is what empties it.
redis.call('HDEL', data, '')
local function each(width, command, key, before)
  at = at + 1
  local last = at + tonumber(ARGV[at]) * width
  for i = at + 1, last, width do
    if width == 2 then
      redis.call(command, key, ARGV[i], ARGV[i + 1])
    elseif before then
      redis.call(command, key, before, ARGV[i])
    else
      redis.call(command, key, ARGV[i])
    end
  end
  at = last
end

each(1, 'HDEL', data)
each(1, 'ZREM', index)
each(2, 'HSET', data)
each(1, 'ZADD', index, 0)

if string.sub(redis.call('GET', lock) or '', 2) == token then
  redis.call('PEXPIRE', lock, hold)
end
renew('0')
redis.call('HINCRBY', data, 'v', 1)
return redis.call('HGET', data, 'v')
