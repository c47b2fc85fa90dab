-- Pending writes of some checkpoints to some channels: epoch, chunk count, members, writes.

local data, index, chunks = KEYS[1], KEYS[2], KEYS[3]
local count = tonumber(ARGV[1])
local wanted = {}
for i = count + 2, #ARGV do
  wanted[ARGV[i]] = true
end

local members, values = {}, {}
for i = 2, count + 1 do
  local first = 'w' .. ARGV[i]
  local mine = redis.call('ZRANGEBYLEX', index, '[' .. first, '(' .. first .. '\255')
  local packed = values_of(data, mine)
  for j = 1, #mine do
    if packed[j] then
      local size = struct.unpack('>I4', packed[j], 2)
      if wanted[string.sub(packed[j], 6, 5 + size)] then
        members[#members + 1] = mine[j]
        values[#values + 1] = packed[j]
      end
    end
  end
end
return { redis.call('HGET', chunks, 'e') or '', redis.call('HLEN', chunks), members, values }
