-- What is at some shelves: the epoch, heads and states, one after the other, of checkpoints,
-- hidden ones too, and all pending writes.

local data, index, chunks = KEYS[1], KEYS[2], KEYS[3]
local rows, members = {}, {}

for i = 1, #ARGV do
  local place = field_of_shelf('n' .. ARGV[i])
  local fields = redis.call('HMGET', data, 'h' .. place, 's' .. place)
  rows[2 * i - 1], rows[2 * i] = fields[1], fields[2]
  local first = 'w' .. ARGV[i]
  local mine = redis.call('ZRANGEBYLEX', index, '[' .. first, '(' .. first .. '\255')
  for j = 1, #mine do
    members[#members + 1] = mine[j]
  end
end
return { redis.call('HGET', chunks, 'e') or '', rows, members, values_of(data, members) }
