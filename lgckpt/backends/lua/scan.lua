-- A page of checkpoints between two members, the highest first: members, and heads unless
-- names alone are asked for.

local data, index = KEYS[1], KEYS[2]
local members = redis.call('ZREVRANGEBYLEX', index, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
if ARGV[4] then
  return { members, {} }
end
local fields = {}
for i = 1, #members do
  local kind = string.sub(members[i], 1, 1)
  fields[i] = 'h' .. (kind == 'n' and field_of_shelf(members[i]) or string.sub(members[i], 2))
end
return { members, values_of(data, fields) }
