-- One visible checkpoint, or the latest of a namespace, with its pending writes.
-- Gives its place, head, state, the epoch, how many chunks there are, members and writes.

local data, index, chunks = KEYS[1], KEYS[2], KEYS[3]
local latest, name, ttl = ARGV[1], ARGV[2], ARGV[3]
local place, shelf

if latest == '1' then
  local last = '(n' .. name .. '\255'
  shelf = redis.call('ZREVRANGEBYLEX', index, last, '[n' .. name, 'LIMIT', 0, 1)[1]
  if not shelf then
    return false
  end
  place = field_of_shelf(shelf)
else
  place = name
  local stop = string.find(place, '\0\0', 1, true)
  shelf = 'n' .. string.sub(place, stop + 2) .. '\0\0' .. string.sub(place, 1, stop + 1)
end

local fields = redis.call('HMGET', data, 'h' .. place, 's' .. place)
local head, state = fields[1], fields[2]
if not head or string.byte(head, 2) % 2 == 1 then
  return false
end

local first = 'w' .. string.sub(shelf, 2)
local members = redis.call('ZRANGEBYLEX', index, '[' .. first, '(' .. first .. '\255')
if ttl ~= '0' then
  renew(ttl)
end
return {
  place, head, state or '',
  redis.call('HGET', chunks, 'e') or '',
  redis.call('HLEN', chunks),
  members, values_of(data, members),
}
