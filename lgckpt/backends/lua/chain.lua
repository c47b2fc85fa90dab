-- A checkpoint and its ancestors: places, heads and states, one after the other.

local data = KEYS[1]
local id, ns, most, room = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local found = {}

while most > 0 and room > 0 do
  local place = id .. '\0\0' .. ns
  local fields = redis.call('HMGET', data, 'h' .. place, 's' .. place)
  local head, state = fields[1], fields[2] or ''
  if not head then
    break
  end
  found[#found + 1] = place
  found[#found + 1] = head
  found[#found + 1] = state
  most = most - 1
  room = room - #head - #state
  local size = struct.unpack('>I4', head, 11)
  if size == 0 then
    break
  end
  id = string.sub(head, 15, 13 + size)
end
return found
