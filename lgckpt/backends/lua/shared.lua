-- Put in front of every other script of this directory.

local MOST = 1000 -- arguments of one call: Lua's stack is finite

-- All keys of a thread expire at one moment, so that none outlives another. Without a
-- time to live of the caller's own, what is there keeps the one it has.
local function renew(ttl)
  local left = tonumber(ttl)
  if left == 0 then
    left = redis.call('PTTL', KEYS[1])
  end
  if left > 0 then
    local now = redis.call('TIME')
    local at = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + left)
    for i = 1, 4 do
      redis.call('PEXPIREAT', KEYS[i], at)
    end
  end
end

local function field_of_shelf(member)
  local stop = string.find(member, '\0\0', 2, true)
  return string.sub(member, stop + 2, -3) .. '\0\0' .. string.sub(member, 2, stop - 1)
end

local function values_of(key, fields)
  local found = {}
  for first = 1, #fields, MOST do
    local last = math.min(first + MOST - 1, #fields)
    local part = redis.call('HMGET', key, unpack(fields, first, last))
    for i = 1, #part do
      found[#found + 1] = part[i]
    end
  end
  return found
end
