-- A page of all pending writes: members, channels, references.

local data, index = KEYS[1], KEYS[2]
local members = redis.call('ZRANGEBYLEX', index, ARGV[1], '(x', 'LIMIT', 0, ARGV[2])
local packed = values_of(data, members)
local channels, refs = {}, {}
for i = 1, #members do
  local value = packed[i] or '\1\0\0\0\0\0\0\0\0'
  local size = struct.unpack('>I4', value, 2)
  channels[i] = string.sub(value, 6, 5 + size)
  local length = struct.unpack('>I4', value, 6 + size)
  refs[i] = string.sub(value, 10 + size, 9 + size + length)
end
return { members, channels, refs }
