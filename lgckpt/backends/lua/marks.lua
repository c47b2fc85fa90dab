-- The next places after a shelf: visible checkpoints, the beginnings of their heads, the same
-- of the hidden ones that are named, places of writes, and how many are there. Strings are not
-- compared here: that goes by the server's locale.

local data, index = KEYS[1], KEYS[2]
local after, limit = ARGV[1], tonumber(ARGV[2])

local function beginning(shelf)
  local place = field_of_shelf('n' .. shelf)
  local head = redis.call('HGET', data, 'h' .. place)
  if head then
    return string.sub(head, 1, 10)
  end
  return (redis.call('ZSCORE', index, 'x' .. place) or redis.call('ZSCORE', index, 'i' .. place))
    and ''
end

local lower = after == '' and '[n' or '(n' .. after
local shelves = redis.call('ZRANGEBYLEX', index, lower, '(o', 'LIMIT', 0, limit)
local heads, hidden, written, counts = {}, {}, {}, {}
for i = 1, #shelves do
  shelves[i] = string.sub(shelves[i], 2)
  heads[i] = beginning(shelves[i])
end
for i = 3, #ARGV do
  hidden[i - 2] = beginning(ARGV[i])
end

lower = after == '' and '[w' or '(w' .. after .. '\255'
while #written < limit do
  local member = redis.call('ZRANGEBYLEX', index, lower, '(x', 'LIMIT', 0, 1)[1]
  if not member then
    break
  end
  local _, stop = string.find(member, '\0\0', 2, true)
  _, stop = string.find(member, '\0\0', stop + 1, true)
  local shelf = string.sub(member, 2, stop)
  lower = '(w' .. shelf .. '\255'
  written[#written + 1] = shelf
  counts[#counts + 1] = redis.call('ZLEXCOUNT', index, '[w' .. shelf, lower)
end
return { shelves, heads, hidden, written, counts }
